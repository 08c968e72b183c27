"""`forebay eval`: golden sets through a whole stack, compared, judged and gated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.cli.demo.scenes.quality.evaluated import true_answer
from deploy.scripted_provider.behaviour import CalledTool, Kind
from shared.evaluation.golden.golden_set import read_golden_set
from tests.acceptance.command import RunningStack, Typed, http_post, printed
from tests.integration.workers.provider_thread import ProviderThread

SETTINGS = """
[[costs.prices]]
model = "scripted"
input_per_million = 2.50
output_per_million = 10.00

[[providers]]
name = "primary"
kind = "openai_compatible"
base_url = "{url}"
model = "scripted"
max_tries = 1
"""
RUBRIC = "The answer is polite."


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderThread]:
    with ProviderThread() as thread:
        yield thread


@pytest.fixture(scope="module")
def stack(
    provider: ProviderThread, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStack]:
    folder = tmp_path_factory.mktemp("evaluated").resolve()
    (folder / "forebay.toml").write_text(SETTINGS.format(url=provider.url))
    bare = {"FOREBAY_EMBEDDED__FLOWER": "false", "FOREBAY_EMBEDDED__WORKERS": "1"}
    running = RunningStack(folder, bare)
    yield running
    running.close()


@pytest.fixture
def typed(stack: RunningStack, provider: ProviderThread, type_in: Callable[..., Typed]) -> Typed:
    provider.reset()
    return type_in(stack.folder)


def answer_truly(provider: ProviderThread, *, but: tuple[str, ...] = ()) -> None:
    """As an honest model does, but for these cases, which are evaded."""
    golden, _ = read_golden_set("account")
    provider.reset()
    for case in golden.cases:
        text = "I would rather not say." if case.id in but else true_answer(case)
        provider.behave(Kind.ANSWER, contains=case.asked, text=text)


def written(folder: Path, name: str, *cases: dict[str, Any]) -> str:
    (folder / name).write_text("".join(f"{json.dumps(each)}\n" for each in cases))
    return name


def ran(typed: Typed, *words: str) -> dict[str, Any]:
    return dict(printed(typed, "eval", "run", *words))


def gated(typed: Typed, *words: str, code: int) -> dict[str, Any]:
    done = typed("eval", "gate", *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


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


def test_a_set_is_cut_out_of_what_was_asked_without_what_nobody_may_read(
    typed: Typed, provider: ProviderThread, stack: RunningStack
) -> None:
    ids = {
        name: _asked(stack, **body)
        for name, body in {
            "card": {"input": "My card 4111 1111 1111 1111 fails. Write to ada@example.com."},
            "unstored": {"input": "Do not keep this.", "store": False},
            "deleted": {"input": "Forget me."},
            "good": {"input": "All is well."},
        }.items()
    }
    ids["later"] = _asked(stack, input="Still?", previous_response_id=ids["card"])
    for name in ("card", "later", "deleted", "unstored"):
        assert typed("feedback", "add", ids[name], "no").returncode == 0
    assert typed("feedback", "add", ids["good"], "yes").returncode == 0
    tenant = printed(typed, "tenants", "list")[0]["name"]
    address = f"{stack.ready['url']}/v1/responses/{ids['deleted']}"
    assert httpx2.delete(address, headers=_key(stack), timeout=60).status_code == 200

    words = ("eval", "from-traffic", "cut.jsonl", "--tenant", tenant, "--where", "feedback=bad")
    assert "one of them" in typed(*words).stderr
    told = printed(typed, *words, "--redact")
    assert told["cases"] == 2
    # What was not to be stored is gone as soon as somebody sweeps.
    assert sum(told["left_out"].values()) == 2
    assert "there already" in typed(*words, "--redact").stderr
    golden, faults = read_golden_set("cut.jsonl")
    assert not faults
    later, card = golden.cases
    assert card.input == "My card [removed] fails. Write to [removed]."
    assert [each["role"] for each in later.input] == ["user", "assistant", "user"]
    text = (stack.folder / "cut.jsonl").read_text()
    assert not any(each in text for each in ("4111", "ada@", "Forget", "Do not keep", "All is"))
    assert (stack.folder / "cut.jsonl").stat().st_mode & 0o077 == 0
    provider.behave(Kind.ANSWER, contains="question", text='{"reason":"So.","passes":true}')
    run = ran(typed, "cut.jsonl", "--judge", "scripted")
    assert {each["passed"] for each in run["results"]} == {True}
    (recorded,) = (
        each for each in printed(typed, "audit", "list") if each["act"] == "eval.from-traffic"
    )
    assert recorded["target"] == tenant


def _asked(stack: RunningStack, **body: Any) -> str:
    """The id of a message that was answered."""
    url = f"{stack.ready['url']}/v1/responses"
    answer = http_post(url, json={"model": "scripted", **body}, headers=_key(stack)).json()
    assert answer["status"] == "completed", answer
    return str(answer["id"])


def _key(stack: RunningStack) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack.ready['key']}"}


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
