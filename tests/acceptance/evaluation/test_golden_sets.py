"""Golden sets through a whole stack, compared and gated."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from deploy.scripted_provider.behaviour import CalledTool, Kind
from shared.evaluation.golden.golden_set import read_golden_set
from tests.acceptance.command import RunningStack, Typed, printed
from tests.acceptance.evaluation.typing_in import answer_truly, gated, ran, written
from tests.integration.workers.provider_thread import ProviderThread


def test_a_worse_version_is_compared_and_stopped(typed: Typed, provider: ProviderThread) -> None:
    answer_truly(provider)
    good = ran(typed, "account", "--version", "1.0")
    assert good["run"]["state"] == "completed"
    assert {each["passed"] for each in good["results"]} == {True}
    assert good["run"]["scores"]["task_completion"]["mean"] == 1
    assert good["run"]["scores"]["hallucination"]["mean"] == 0
    cost = sum(Decimal(each["cost"]) for each in good["results"])
    assert Decimal(good["run"]["cost"]) == cost > 0
    assert all(each["seconds"] > 0 for each in good["results"])
    before = good["run"]["id"]

    golden, _ = read_golden_set("account")
    evaded = tuple(case.id for case in golden.cases[::2])
    answer_truly(provider, but=evaded)
    worse = ran(typed, "account", "--version", "1.1", "--baseline", before, "--repeats", "1")
    after = worse["run"]["id"]
    asked_again = {each["case_id"] for each in worse["results"] if each["repeat"] == 1}
    # Read me no number at all: who evades does so rightly.
    assert asked_again == {*evaded} - {"no-card"}

    compared = printed(typed, "eval", "compare", before, after)
    (completed,) = (d for d in compared["differences"] if d["figure"] == "task_completion")
    assert completed["gain"]["high"] < 0
    assert completed["before"] == 1
    assert gated(typed, after, before, code=1)["verdict"] == "fail"
    assert gated(typed, before, before, "--margin", "0.2", code=0)["verdict"] == "pass"
    (finding,) = gated(typed, before, before, "--margin", "0.01", code=3)["findings"]
    assert finding["more_cases"] > 100
    assert gated(typed, after, "--minimum", "task_completion=0.9", code=1)["verdict"] == "fail"
    listed = printed(typed, "eval", "list", "--set", "account", "--limit", "1")
    assert [each["id"] for each in listed] == [after]
    (balance,) = (each for each in good["results"] if each["case_id"] == "balance")
    assert typed("feedback", "add", balance["response_id"], "4", "--scale", "1..5").returncode == 0
    told = printed(typed, "eval", "show", before)["run"]["scores"]["satisfaction"]
    assert told["mean"] == 0.75
    shown = typed("eval", "show", after).stdout
    assert "regex: Nothing of it matches." in shown
    assert "rather not" not in shown


def test_tools_and_forms_are_checked(typed: Typed, provider: ProviderThread) -> None:
    for city in ("Zurich", "Oslo"):
        call = CalledTool("weather", json.dumps({"city": city}))
        provider.behave(Kind.TOOLS, contains=city, calls=(call,))
    for order in ("A-20417?", "B-7."):
        call = CalledTool("order_status", json.dumps({"order": order[:-1]}))
        provider.behave(Kind.TOOLS, contains=order, calls=(call,))
    wrong = CalledTool("refund", '{"order":"A-20417","cents":12}')
    provider.behave(Kind.TOOLS, contains="Pay 12.50", calls=(wrong,))
    provider.behave(Kind.ANSWER, contains="Say hello", text="Hello!")
    results = {each["case_id"]: each for each in ran(typed, "tools")["results"]}
    failed = {name for name, each in results.items() if not each["passed"]}
    assert failed == {"refund"}
    (check,) = results["refund"]["checks"]
    assert check["why"] == "It is called with other arguments."

    provider.behave(Kind.ANSWER, contains="first program", text='{"name":"Lovelace","year":1843}')
    provider.behave(Kind.ANSWER, contains="Lyon", text='{"city":"Lyon","country":"France"}')
    structured = {each["case_id"]: each for each in ran(typed, "structured")["results"]}
    # What is in no form is not let through: it is no answer, and why is told.
    assert {name for name, each in structured.items() if each["passed"]} == {"author", "city"}
    assert structured["items"]["state"] == "failed"


def test_runs_of_other_cases_are_not_compared(typed: Typed, stack: RunningStack) -> None:
    case = {"id": "a", "input": "Hi.", "checks": [{"kind": "regex", "pattern": "Hi"}]}
    one = ran(typed, written(stack.folder, "changing.jsonl", case))["run"]["id"]
    written(stack.folder, "changing.jsonl", {**case, "input": "Hi there."})
    two = ran(typed, "changing.jsonl")["run"]["id"]
    other = ran(typed, written(stack.folder, "other.jsonl", case))["run"]["id"]
    assert "has changed since" in typed("eval", "compare", one, two).stderr
    assert "compare runs of one set" in typed("eval", "gate", two, other).stderr
    again = typed("eval", "run", "changing.jsonl", "--baseline", one)
    assert again.returncode == 1
    assert "has changed since" in again.stderr


def test_wrong_lines_are_named_and_the_others_can_be_run(
    typed: Typed, provider: ProviderThread, stack: RunningStack
) -> None:
    path = stack.folder / "bad.jsonl"
    good = {"id": "good", "input": "Hello.", "checks": [{"kind": "regex", "pattern": "Hello"}]}
    no_message = {**good, "id": "none", "request": {"temperature": "hot"}}
    path.write_text(f'{json.dumps(good)}\nnonsense\n{{"id": 7}}\n{json.dumps(no_message)}\n')
    refused = typed("eval", "run", "bad.jsonl")
    assert refused.returncode == 2
    assert "bad.jsonl, line 2: It is no JSON." in refused.stderr
    assert "bad.jsonl, line 3, 'id': " in refused.stderr
    assert provider.calls("Hello.") == []
    run = ran(typed, "bad.jsonl", "--skip-bad-lines")
    by_case = {each["case_id"]: each for each in run["results"]}
    assert by_case["good"]["passed"] is True
    assert (by_case["none"]["passed"], by_case["none"]["state"]) == (False, "refused")
    assert "temperature" in by_case["none"]["checks"][0]["why"]


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        (("run", "nowhere"), "account, grounded, structured, tools"),
        (("run", "grounded"), "--collection"),
        (("run", "account", "--repeats", "2"), "--baseline"),
        (("gate", "evalrun_0"), "--minimum"),
        (("gate", "evalrun_0", "--minimum", "task_completion=high"), "task_completion=0.9"),
        (("gate", "evalrun_0", "--minimum", "beauty=1"), "task_completion, hallucination"),
        (("from-traffic", "o", "--tenant", "t", "--where", "x=1", "--redact"), "feedback=bad"),
        (("from-traffic", "o", "--tenant", "t", "--where", "state=x", "--redact"), "failed"),
        (("agreement", "nowhere.jsonl", "--judge", "m"), "Check the path"),
    ],
)
def test_what_cannot_be_done_says_how_it_can(
    typed: Typed, words: tuple[str, ...], fix: str
) -> None:
    done = typed("eval", *words)
    assert done.returncode == 2
    assert fix in done.stderr
