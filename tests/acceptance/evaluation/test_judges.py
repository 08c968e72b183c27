"""A judge says what no check can, and people say how far it may be believed."""

from __future__ import annotations

from decimal import Decimal

from deploy.scripted_provider.behaviour import Kind
from tests.acceptance.command import RunningStack, Typed, printed
from tests.acceptance.evaluation.typing_in import gated, ran, written
from tests.integration.workers.provider_thread import ProviderThread

RUBRIC = "The answer is polite."


def test_a_judge_gates_only_where_people_agree_with_it(
    typed: Typed, provider: ProviderThread, stack: RunningStack
) -> None:
    judged = {"kind": "judge", "rubric": RUBRIC}
    cases = [
        {"id": f"{word}-{n}", "input": f"Say {word} {n}.", "checks": [judged]}
        for word in ("please", "rude", "riddle")
        for n in range(2)
    ]
    name = written(stack.folder, "polite.jsonl", *cases)
    for word in ("please", "rude", "riddle"):
        provider.behave(Kind.ANSWER, contains=f"Say {word}", text=f"Here it is, {word}.", times=2)
    verdict = '{"reason":"It says so.","passes":%s}'
    provider.behave(Kind.ANSWER, contains=", please.", text=verdict % "true")
    provider.behave(Kind.ANSWER, contains=", rude.", text=verdict % "false")
    provider.behave(Kind.ANSWER, contains=", riddle.", text="Who can say?")
    run = ran(typed, name, "--judge", "scripted")
    by_case = {each["case_id"].split("-")[0]: each["passed"] for each in run["results"]}
    assert by_case == {"please": True, "rude": False, "riddle": None}
    assert run["run"]["scores"]["task_completion"]["mean"] == 0.5
    assert Decimal(run["run"]["judge_cost"]) > 0
    (riddle, _) = (each for each in run["results"] if each["passed"] is None)
    assert "no verdict" in riddle["checks"][0]["why"]

    bounds = ("--minimum", "task_completion=0")
    untold = gated(typed, run["run"]["id"], *bounds, code=3)
    assert "agreement with people" in untold["findings"][0]["why"]
    labels = [
        {"id": f"{word}-{n}", "input": f"{n}", "answer": f"Yes, {word}.", "rubric": RUBRIC}
        | {"good": word == "please"}
        for word in ("please", "rude")
        for n in range(4)
    ]
    written(stack.folder, "labels.jsonl", *labels)
    (measured,) = printed(typed, "eval", "agreement", "labels.jsonl", "--judge", "scripted")
    assert (measured["agreement"], measured["kappa"]) == (1, 1)
    calls = provider.count
    printed(typed, "eval", "agreement", "labels.jsonl", "--judge", "scripted")
    assert provider.count == calls, "A verdict that is known was asked for again."
    told = gated(typed, run["run"]["id"], *bounds, code=0)
    assert "agreement" not in told["findings"][0]["why"]

    for label in labels:
        label["good"] = not label["good"]
    written(stack.folder, "labels.jsonl", *labels)
    disagreed = typed("eval", "agreement", "labels.jsonl", "--judge", "scripted")
    assert disagreed.returncode == 1
    assert "Cohen's kappa -1.000: no gate rests on it" in disagreed.stdout
    assert gated(typed, run["run"]["id"], *bounds, code=3)["verdict"] == "inconclusive"
