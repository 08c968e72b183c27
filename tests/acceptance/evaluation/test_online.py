"""Answers that were given are judged, as far as a budget of their own goes."""

from __future__ import annotations

from deploy.scripted_provider.behaviour import Kind
from tests.acceptance.command import RunningStack, Typed, printed
from tests.acceptance.evaluation.typing_in import asked
from tests.integration.workers.provider_thread import ProviderThread


def test_suspicious_answers_are_judged_once_and_within_the_budget(
    typed: Typed, provider: ProviderThread, stack: RunningStack
) -> None:
    verdict = '{"reason":"So.","passes":%s}'
    provider.behave(Kind.ANSWER, contains="Is it raining", text="No.", times=2)
    provider.behave(Kind.ANSWER, contains="raining here", text=verdict % "false")
    provider.behave(Kind.ANSWER, contains="raining there", text="Perhaps.")
    bad = asked(stack, input="Is it raining here?")
    vague = asked(stack, input="Is it raining there?")
    for each in (bad, vague):
        assert typed("feedback", "add", each, "no").returncode == 0
    tenant = printed(typed, "tenants", "list")[0]["name"]
    words = ("eval", "online", "--tenant", tenant, "--judge", "scripted", "--sample", "0")
    rubric = ("--rubric", "It says more than no.")
    little = printed(typed, *words, *rubric, "--budget", "0.0000001")
    assert little["left_over"] > 0
    came = printed(typed, *words, *rubric, "--budget", "1")
    assert came["without_verdict"] >= 1
    assert came["left_over"] == 0
    (kept,) = (
        each for each in printed(typed, "feedback", "show", bad) if each["name"] == "quality"
    )
    assert kept["source"].startswith("judge:")
    assert kept["value"] == 0
    assert not [
        each for each in printed(typed, "feedback", "show", vague) if each["name"] == "quality"
    ]
    calls = len(provider.calls("raining here"))
    printed(typed, *words, *rubric, "--budget", "1")
    assert len(provider.calls("raining here")) == calls, "What was judged was asked again."


def test_a_run_whose_door_goes_away_is_kept_as_stopped(typed: Typed) -> None:
    nobody = ("--against", "http://127.0.0.1:9", "--key", "fb_none")
    done = typed("eval", "run", "tools", "--version", "nowhere", *nobody)
    assert done.returncode == 1
    assert "Nobody answers at http://127.0.0.1:9" in done.stderr
    newest = printed(typed, "eval", "list", "--set", "tools", "--limit", "1")[0]
    assert (newest["version"], newest["state"]) == ("nowhere", "stopped")
    gate = typed("eval", "gate", newest["id"], "--minimum", "task_completion=0")
    assert gate.returncode == 1
    assert "no gate rests on a part of a set" in gate.stderr
