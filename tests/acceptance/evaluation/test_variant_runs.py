"""One set under two variants of the settings, compared, and the better one promoted."""

from __future__ import annotations

from deploy.scripted_provider.behaviour import Kind
from tests.acceptance.command import RunningStack, Typed
from tests.acceptance.evaluation.typing_in import gated, ran, written
from tests.integration.workers.provider_thread import ProviderThread

_CASES = [
    {
        "id": f"c{n}",
        "input": f"How deep is lake {n}?",
        "checks": [{"kind": "regex", "pattern": "m"}],
    }
    for n in range(4)
]


def test_a_set_is_run_under_a_variant_and_as_usual_and_compared(
    typed: Typed, provider: ProviderThread, stack: RunningStack
) -> None:
    provider.behave(Kind.ANSWER, contains="How deep", text="Nine m.")
    lakes = written(stack.folder, "lakes.jsonl", *_CASES)
    terse = ran(typed, lakes, "--variant", "terse")
    assert [each.instructions for each in provider.calls("How deep")] == ["Be brief."] * 4
    usual = ran(typed, lakes, "--variant", "control")
    assert [each.instructions for each in provider.calls("How deep")[4:]] == [""] * 4
    assert (terse["run"]["variant"], usual["run"]["variant"]) == ("terse", None)
    runs = terse["run"]["id"], usual["run"]["id"]
    # So few say nothing yet; what matters is that they may be held against each other.
    gated(typed, *runs, "--margin", "0.05", code=3)
    assert typed("variants", "promote", "terse", *runs).returncode == 3
    wrong = typed("variants", "promote", "terse", *reversed(runs))
    assert wrong.returncode == 1
    assert "forebay eval run SET --variant terse" in wrong.stderr


def test_a_variant_that_workers_do_not_have_is_told(
    typed: Typed, provider: ProviderThread, stack: RunningStack
) -> None:
    provider.behave(Kind.ANSWER, contains="How deep", text="Nine m.")
    done = typed("eval", "run", written(stack.folder, "lakes.jsonl", *_CASES), "--variant", "warm")
    assert done.returncode == 0
    assert "Not all of it was answered under warm" in done.stderr
