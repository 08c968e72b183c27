"""From the turns of a conversation to what it came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from shared.feedback.verdict import ABUSE, FAULTS, is_of_person
from shared.messages.state import ResponseState
from shared.messages.stored_body import readable_body
from shared.messages.turn_report import TurnReport, decode_report
from shared.outcomes.asked_again import TalkQuestion, asks_again
from shared.outcomes.ledger_turns import SaidOfTurn, TalkedTurn, TurnCost
from shared.outcomes.outcome import HALLUCINATIONS, ConversationOutcome, outcome_key

_NOTHING: Final = TurnCost()
_NO_REPORT: Final = TurnReport()


def reckoned(
    turns: Sequence[TalkedTurn],
    *,
    costs: Mapping[str, TurnCost],
    handed_off: set[str],
    said: Mapping[str, Sequence[SaidOfTurn]],
    version: str,
    closed_at: datetime,
) -> ConversationOutcome:
    """The outcome of these turns of one conversation, which are in their order."""
    last = turns[-1]
    reports = [decode_report(each.report) or _NO_REPORT for each in turns]
    by_people = [
        [one for one in said.get(each.id, ()) if is_of_person(one.source)] for each in turns
    ]
    verdicts = [one for each in by_people for one in each if one.name != ABUSE]
    scores = [one.value for one in verdicts if one.value is not None and one.name not in FAULTS]
    spent = [costs.get(each.id, _NOTHING) for each in turns]
    return ConversationOutcome(
        key=key_of(last),
        tenant_id=last.tenant_id,
        version=version,
        model=last.model or "",
        route=_route(last),
        variant=last.variant or "",
        closed_at=closed_at,
        turns=len(turns),
        caught=sum(map(_is_caught, reports, by_people)),
        is_completed=last.state == ResponseState.COMPLETED and last.id not in handed_off,
        is_handed_off=any(each.id in handed_off for each in turns),
        is_negative=any(one.is_negative for one in verdicts),
        is_asked_again=len(turns) > 1 and asks_again([*map(_question, turns)]),
        verdicts=len(scores),
        score=sum(scores),
        cost=sum((each.known for each in spent), Decimal(0)),
        unknown_costs=sum(each.unknown for each in spent),
    )


def key_of(turn: TalkedTurn) -> str:
    """The key of its conversation's outcome, or of its own."""
    return outcome_key(turn.tenant_id, turn.conversation_id or turn.id)


def _route(turn: TalkedTurn) -> str:
    """A person's name is no route."""
    name = turn.answered_by or ""
    return "human" if name.startswith("human:") else name


def _is_caught(report: TurnReport, verdicts: Sequence[SaidOfTurn]) -> bool:
    told = any(each.name == "hallucination" and each.is_negative for each in verdicts)
    return told or not HALLUCINATIONS.isdisjoint(report.caught)


def _question(turn: TalkedTurn) -> TalkQuestion:
    body = readable_body((turn.body or "").encode())
    text = body.input[-1].text() if body is not None and body.input else ""
    return TalkQuestion(turn.accepted_at, turn.finished_at or turn.accepted_at, text)
