"""All that is known about one message on its way through a worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from shared.answer_cache.stored_answer import CacheTicket
from shared.costs.prices import total_cost
from shared.costs.purse import Purse
from shared.messages.body import Body
from shared.messages.dead_letter import DeadReason
from shared.messages.facts import Facts
from shared.messages.file_search.found_text import FoundText
from shared.messages.item import Item
from shared.messages.lane import Lane
from shared.messages.part import FilePart
from shared.messages.record import MessageRecord
from shared.messages.response import CALLERS_FAULT, SERVER_ERROR
from shared.messages.state import ResponseState
from shared.messages.stored_body import decode_body
from shared.messages.tool import ToolChoice
from shared.messages.turn_report import ContextReport, TurnReport, encode_report
from shared.persistence.ledger.records import AttemptRecord, Settlement, TurnTab
from shared.reservations.reservations import RiskSignal
from shared.settings.watching.variants import VariantSettings
from shared.storable_text import storable

Shorten = Callable[[float], tuple[list[Item], ContextReport] | None]

Booking = Callable[[tuple[AttemptRecord, ...]], None]
"""Is told of calls as soon as they have ended, however they did: they were paid for."""

FollowUp = Callable[[Booking], Awaitable[None]]
"""Calls providers once the caller has its answer; tells what it calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSearch:
    """What is searched for a turn, and what was found of it."""

    question: str
    """The last words of the user; empty where there are none, and nothing is searched."""
    editions: tuple[tuple[str, int], ...] = ()
    """The collections that are searched, each with the number that rises when it changes."""
    found: tuple[FoundText, ...] = ()
    """What the model is given, the best first: the order of its marks."""
    fence: str = ""
    """Where a passage ends in the prompt: nobody who wrote one can have known it."""
    is_away: bool = False
    """Whether the index did not answer: the answer is made without it, and says so."""
    keeps_found: bool = False
    """Whether the response tells what was found, so that the ledger keeps it."""
    cites: bool = True
    """Whether the answer refers to passages by marks: JSON has no place for them."""
    is_told: bool = False
    """Whether a stream was told of it while it ran: it opens with the search already."""


@dataclass(slots=True)
class Turn:
    """One claim of one message. Each step adds what it found; the settlement ends it.

    Once `settlement` is set the remaining steps of the answer are skipped.
    """

    record: MessageRecord
    """Its own `body` may be empty: what was asked is in the turn's."""
    body: Body
    items: list[Item] = field(default_factory=list)
    """What the model is given: instructions, what was recalled, the message itself."""
    facts: Facts = field(default_factory=dict)
    """What its answers are held against: what fact sources know, with the producer's own facts in
    place of theirs.
    """
    search: TurnSearch | None = None
    """None where nothing is searched."""
    fact_sheet: str | None = None
    """What the model is told of the facts, beside its instructions."""
    report: TurnReport | None = None
    """What the response tells of the turn; None where there is nothing to tell."""
    model: str | None = None
    """The model or tier that the chain is asked for, where the caller named none."""
    attempts: tuple[AttemptRecord, ...] = ()
    """All that was called so far, in order; paid for, whatever becomes of the turn."""
    follow_up: FollowUp | None = None
    """What remains to be done for the next turn of the conversation; booked afterwards."""
    files: dict[str, FilePart] = field(default_factory=dict)
    """By their ids, the files that its items name: their content, where it was read."""
    shorten: Shorten = lambda _: None
    """Fits the items anew into that share of their tokens; None when so much cannot go."""
    tab: TurnTab | None = None
    """What was charged so far, where a dispatcher released its message."""
    variant: VariantSettings | None = None
    """What is otherwise than the settings say; None for most."""
    order: tuple[str, ...] = ()
    """The models that are asked, by their providers; all of the chain where it is empty."""
    purse: Purse | None = None
    """What its calls are paid from where the tenant's spending is capped."""
    opened: AsyncExitStack | None = None
    """What steps opened for the turn, once one has."""
    cache_ticket: CacheTicket | None = None
    """Where the answer may be stored; None when it may not."""
    risk_signals: set[RiskSignal] = field(default_factory=set)
    """What the guardrail caught that speaks against the user."""
    waits: bool = False
    """Whether it is put back, rather than given to rules or a human, while no model is there."""
    is_in_doubt: bool = False
    """Whether the answer may be a part of what its provider wrote: nobody else is given it."""
    settlement: Settlement | None = None

    @property
    def is_streamed(self) -> bool:
        """Whether the caller wants the text while it is written."""
        return bool(self.body.stream)

    @property
    def can_wait(self) -> bool:
        """Whether it may be answered by a slower tier of a provider."""
        return self.record.lane is Lane.BATCH

    @property
    def tool_choice(self) -> ToolChoice | None:
        """What the model may or must call of functions: whether files are searched is no choice
        of its."""
        choice, body = self.body.tool_choice, self.body
        if choice is None or body.file_search is None:
            return choice
        return choice.beside_search(searches=body.searches) if body.tools else None

    def seconds_left(self, now: datetime) -> float:
        """Until nobody wants the answer any more; negative once that has come."""
        return (self.record.deadline - now).total_seconds()

    @property
    def resources(self) -> AsyncExitStack:
        """Where steps put what they open for the turn."""
        if self.opened is None:
            self.opened = AsyncExitStack()
        return self.opened

    async def let_go(self) -> None:
        """Close what steps opened: when the turn is over, however it ended, or before."""
        if self.opened is not None:
            await self.opened.aclose()

    def book(self, attempts: tuple[AttemptRecord, ...]) -> None:
        """Note calls that have ended, however they did."""
        self.attempts += attempts

    @property
    def dropped(self) -> tuple[str, ...]:
        """What the answer does without, as far as the response tells it."""
        return self.report.dropped if self.report is not None else ()

    @property
    def variant_name(self) -> str | None:
        """Under which it is answered, as far as the response tells it."""
        return self.report.variant if self.report is not None else None

    def tell(self, **parts: Any) -> None:
        """Let the response tell these parts of its TurnReport."""
        self.report = msgspec.structs.replace(self.report or TurnReport(), **parts)

    def end(self, state: ResponseState, finished_at: datetime, **outcome: Any) -> None:
        """Set how this turn ends; `outcome` names further fields of its Settlement.

        Its attempts and its cost are those of what was called. Characters that no database takes
        are left out of texts: they must not keep the end from being written.
        """
        for name, value in outcome.items():
            if isinstance(value, str):
                outcome[name] = storable(value)
        self.settlement = Settlement(
            message_id=self.record.id,
            tenant_id=self.record.tenant_id,
            user_id=self.record.user_id,
            lane=self.record.lane,
            attempt=self.record.attempt,
            claimed=self.record,
            state=state,
            finished_at=finished_at,
            attempts=self.attempts,
            cost=total_cost(each.cost for each in self.attempts),
            report=None if self.report is None else encode_report(self.report),
            variant=self.variant_name,
            units=self.units_left(),
            **outcome,
        )

    def units_left(self) -> float | None:
        """What it used and its flow was not charged yet, with which its tab is closed; None where
        no dispatcher counts it."""
        if self.tab is None:
            return None
        self.tab.is_closed = True
        return sum(each.units for each in self.attempts) - self.tab.charged

    def fail(self, reason: DeadReason, detail: str, at: datetime) -> None:
        """Set that it ends as a dead letter, by no fault of its caller's."""
        self._bury(reason, f"{reason}: {detail}", at, code=SERVER_ERROR)

    def refuse(
        self, reason: DeadReason, message: str, at: datetime, *, code: str = CALLERS_FAULT
    ) -> None:
        """Set that it ends as a dead letter: what it asks for cannot be done, which `message`
        tells its caller."""
        self._bury(reason, message, at, code=code)

    def _bury(self, reason: DeadReason, message: str, at: datetime, *, code: str) -> None:
        self.end(
            ResponseState.FAILED,
            at,
            error_code=code,
            error_message=message,
            dead_reason=reason,
        )


def begin_turn(record: MessageRecord, purse: Purse | None = None) -> Turn:
    """The turn of a message that was just claimed; its body was checked when it was accepted.

    A turn waits for its provider nearly all of its time, and a body may be large: it is held once,
    unless it is the record that is sent to a queue.
    """
    body = decode_body(record.body.encode())
    if record.reply_to is None:
        record = msgspec.structs.replace(record, body="")
    tab = None if record.held_at is None else TurnTab(record)
    return Turn(record, body, tab=tab, purse=purse)
