"""Answers that were given are judged, as far as a budget of their own goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from deploy.cli.connection import command_settings, open_ledger
from deploy.scripted_provider.behaviour import Kind
from shared.clock import SystemClock
from shared.evaluation.judged_window import JudgedWindow
from shared.settings.secret import Secret, ServerUrl
from shared.settings.watching.evaluation import EvaluationSettings
from tests.acceptance.command import RunningStack, Typed, printed
from tests.acceptance.evaluation.typing_in import asked, ran, written
from tests.integration.workers.provider_thread import ProviderThread
from workers.judging.opening import judging
from workers.judging.sampling import AnswerSample, GivenAnswer
from workers.judging.windows import JudgedWindows


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


class _ClockAhead(SystemClock):
    """What ended just now is long over for it."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=2)


async def _judged(
    settings: EvaluationSettings,
    *,
    is_over: Callable[[JudgedWindow], bool] = lambda each: each.finished_at is not None,
) -> tuple[JudgedWindow, list[GivenAnswer]]:
    """What came of the first time that was judged, and what would be chosen afterwards."""
    clock = _ClockAhead()
    async with open_ledger(command_settings()) as database:
        windows = JudgedWindows(database)
        async with judging(settings, database, clock, worker="a worker"), asyncio.timeout(60):
            while True:
                window = await windows.newest(clock.now())
                if window is not None and is_over(window):
                    break
                await asyncio.sleep(0.05)
        after = AnswerSample(database, since=window.starts_at, until=clock.now())
        return window, await after.chosen(share=1.0, most=1_000, dice=Random(1))


def test_a_worker_judges_traffic_and_nothing_that_an_evaluation_asked(
    typed: Typed, provider: ProviderThread, stack: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.behave(Kind.ANSWER, contains="snowy", text='{"reason":"So.","passes":true}')
    key = printed(typed, "keys", "create", "--tenant", "snowed")["key"]
    answered = {asked(stack, key=key, input=f"Is it snowy {where}?") for where in ("in", "out")}
    case = {"id": "a", "input": "Is it snowy?", "checks": [{"kind": "judge", "rubric": "Snow."}]}
    golden = written(stack.folder, "snow.jsonl", case)
    ran(typed, golden, "--version", "1", "--judge", "scripted", "--key", key)
    settings = EvaluationSettings(
        enabled=True,
        judge="scripted",
        share=1.0,
        every_seconds=900,
        tenants=("snowed",),
        url=ServerUrl(stack.ready["url"]),
        key=Secret(key),
    )
    monkeypatch.chdir(stack.folder)
    revoked = printed(typed, "keys", "create", "--tenant", "snowed")
    assert typed("keys", "revoke", revoked["record"]["id"]).returncode == 0
    turned_away = replace(settings, key=Secret(revoked["key"]))
    window, _ = asyncio.run(_judged(turned_away, is_over=lambda each: each.fault is not None))
    assert (window.done, window.finished_at) == (0, None)
    assert "The door took no question for the judge" in (window.fault or "")
    window, chosen = asyncio.run(_judged(settings))
    assert (window.done, window.judged, window.passed, window.left_over) == (2, 2, 2, 0)
    assert window.cost > 0
    tenant = next(each.tenant_id for each in chosen if each.response_id in answered)
    assert {each.response_id for each in chosen if each.tenant_id == tenant} == answered
    for each in answered:
        assert [said["name"] for said in printed(typed, "feedback", "show", each)] == ["quality"]


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
