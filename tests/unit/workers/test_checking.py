"""Each check holds where it should, fails where it should, and says why without the answer."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.evaluation.golden.answered import AnsweredCase, Sight, answered_by
from shared.evaluation.golden.case import GoldenCase
from shared.messages.output import OutputCall
from shared.messages.response import read_response
from workers.evaluation.checking import check_answer
from workers.evaluation.concluding import conclude

SEEN = Sight(seconds=1.5, cost=Decimal("0.002"), caught=frozenset({"facts"}))
CALL = OutputCall("fc_1", "call_1", "refund", '{"order":"A-1","cents":1250}')
ANSWER = AnsweredCase(
    state="completed",
    response_id="resp_1",
    text="Your balance is $47.15.",
    calls=(CALL,),
    cited=("docs/costs.md",),
    sight=SEEN,
)
ANSWERED_AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
FACTS = {"balance": {"type": "money", "value": 47.15, "currency": "USD"}}


def case(*checks: dict[str, Any], facts: dict[str, Any] | None = None) -> GoldenCase:
    line = {"id": "a", "input": "x", "checks": checks, "facts": facts or FACTS}
    return msgspec.convert(line, GoldenCase)


def outcome(check: dict[str, Any], answer: AnsweredCase = ANSWER, **more: Any) -> tuple[Any, str]:
    golden = case(check, **more)
    found = check_answer(golden.checks[0], golden, answer)
    assert found.kind == check["kind"]
    assert "47.15" not in found.why
    return found.passed, found.why


@pytest.mark.parametrize(
    ("check", "passed"),
    [
        ({"kind": "exact", "text": " Your balance is $47.15. "}, True),
        ({"kind": "exact", "text": "your balance is $47.15."}, False),
        ({"kind": "exact", "text": "your balance is $47.15.", "ignore_case": True}, True),
        ({"kind": "regex", "pattern": r"\$\d+"}, True),
        ({"kind": "regex", "pattern": r"\$\d+", "absent": True}, False),
        ({"kind": "regex", "pattern": "euro"}, False),
        ({"kind": "facts"}, True),
        ({"kind": "schema", "schema": {"type": "object"}}, False),
        ({"kind": "retrieval", "documents": ["costs.md"]}, True),
        ({"kind": "retrieval", "documents": ["/repository/docs/costs.md"]}, True),
        ({"kind": "retrieval", "documents": ["sts.md"]}, False),
        ({"kind": "retrieval", "documents": ["docs/facts.md"]}, False),
        ({"kind": "tool_call", "name": "refund", "arguments": {"cents": 1250}}, True),
        ({"kind": "tool_call", "name": "refund", "arguments": {"cents": 12}}, False),
        ({"kind": "tool_call", "name": "weather"}, False),
        ({"kind": "guardrail", "caught": ["facts"]}, True),
        ({"kind": "guardrail"}, False),
        ({"kind": "state", "state": "completed"}, True),
        ({"kind": "state", "state": "requires_action"}, False),
        ({"kind": "latency", "seconds": 2}, True),
        ({"kind": "latency", "seconds": 1}, False),
        ({"kind": "cost", "usd": 0.002}, True),
        ({"kind": "cost", "usd": 0.0019}, False),
    ],
)
def test_a_check_holds_or_says_why_not(check: dict[str, Any], *, passed: bool) -> None:
    said, why = outcome(check)
    assert said is passed
    assert bool(why) is not passed


def test_json_is_held_against_its_schema() -> None:
    schema = {"type": "object", "required": ["name"]}
    answer = msgspec.structs.replace(ANSWER, text='{"name":"Ada"}')
    assert outcome({"kind": "schema", "schema": schema}, answer) == (True, "")


def test_a_contradicted_fact_is_a_hallucination() -> None:
    facts = {"balance": {"type": "money", "value": 12, "currency": "USD"}}
    golden = case({"kind": "facts"}, facts=facts)
    found = check_answer(golden.checks[0], golden, ANSWER)
    assert found.passed is False
    result = conclude(golden, ANSWER, [found], repeat=0, at=ANSWERED_AT)
    assert (result.passed, result.hallucinated) == (False, True)


def test_what_nobody_can_say_is_no_verdict() -> None:
    unseen = msgspec.structs.replace(ANSWER, sight=None)
    for check in (
        {"kind": "guardrail"},
        {"kind": "latency", "seconds": 1},
        {"kind": "cost", "usd": 1},
    ):
        said, why = outcome(check, unseen)
        assert said is None
        assert why
    golden = case({"kind": "cost", "usd": 1}, {"kind": "regex", "pattern": "balance"})
    outcomes = [check_answer(each, golden, unseen) for each in golden.checks]
    assert conclude(golden, unseen, outcomes, repeat=0, at=ANSWERED_AT).passed is None


def test_what_was_not_completed_did_not_succeed_unless_that_was_wanted() -> None:
    waits = msgspec.structs.replace(ANSWER, state="requires_action")
    for check, passed in (
        ({"kind": "regex", "pattern": "balance"}, False),
        ({"kind": "state", "state": "requires_action"}, True),
    ):
        golden = case(check)
        outcomes = [check_answer(golden.checks[0], golden, waits)]
        assert conclude(golden, waits, outcomes, repeat=0, at=ANSWERED_AT).passed is passed


def test_a_response_is_seen_with_what_it_cost_cites_and_was_answered_under() -> None:
    cited = {"type": "file_citation", "index": 0, "file_id": "f", "filename": "docs/costs.md"}
    said = {"text": "Yes.", "type": "output_text", "annotations": [cited]}
    told = {"id": "msg_1", "type": "message", "content": [said]}
    response = {
        "id": "resp_1", "created_at": 1, "status": "completed", "background": True, "model": "m",
        "service_tier": "flex", "text": {}, "metadata": {}, "output": [told],
        "cost": {"amount": "0.002"}, "turn": {"variant": "small first"},
    }  # fmt: skip
    seen = answered_by(read_response(msgspec.json.encode(response)))
    assert (seen.text, seen.cited, seen.variant) == ("Yes.", ("docs/costs.md",), "small first")
    assert seen.cost == Decimal("0.002")
