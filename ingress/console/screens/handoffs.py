"""The inbox: what waits for a person, with the whole conversation, and the answer to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.console.acts import read_act
from ingress.console.listing import Listings, NamedRows, read_query
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from ingress.console.recorded import RecordedActs
from shared.acts.answering import HandoffAnswers
from shared.clock import Clock
from shared.messages.item import Item
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database
from shared.persistence.handoffs import HandoffRow
from shared.sessions.console_user import ConsoleUser
from shared.settings import Settings
from shared.telemetry.tracing import Tracing
from shared.views.inbox import Inbox, InboxCounts
from shared.views.shown_handoff import HandoffViews


class InboxSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Open ones, unless it `is_everything`."""

    is_everything: bool = False


class PersonsAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`answered_by` is who it is from; the key that is logged in with, where nobody is named."""

    text: str
    answered_by: Annotated[str, msgspec.Meta(max_length=48)] | None = None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The message as it stands then; who waits for it finds it within seconds if not `woken`."""

    message_id: str
    state: str
    answered_by: str | None
    woken: bool


class WholeHandoff(HandoffRow, frozen=True, kw_only=True):
    """One with all that a model would have been given; `missing` says what of it is gone."""

    instructions: str | None
    conversation: Sequence[Item]
    missing: str | None


class HandoffsScreen:
    """Raises LedgerUnavailable, NotFound, and Conflict where somebody was faster."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        acts: RecordedActs,
        tracing: Tracing,
    ) -> None:
        self._inbox = Inbox(database)
        self._views = HandoffViews(database, settings.context, clock)
        self._answers = HandoffAnswers(database, settings.redis, clock, tracing)
        self._listings = Listings(database)
        self._acts = acts

    def operations(self) -> Sequence[ConsoleOperation]:
        one = "/handoffs/{handoff_id}"
        return (
            ConsoleOperation("GET", "/handoffs", self._page, KeyScope.READER),
            ConsoleOperation("GET", one, self._one, KeyScope.READER),
            ConsoleOperation("POST", f"{one}/answer", self._answer, KeyScope.OPERATOR),
        )

    def topics(self) -> Sequence[Topic]:
        return (Topic("handoffs", self._counts, seconds=5.0),)

    async def _counts(self) -> InboxCounts:
        return await self._inbox.counts()

    async def _page(self, exchange: Exchange, _user: ConsoleUser) -> NamedRows:
        search, asked = read_query(exchange, InboxSearch)
        page = await self._inbox.page(
            is_everything=search.is_everything,
            before=asked.place,
            limit=asked.limit,
        )
        return await self._listings.of(page.rows, page.next)

    async def _one(self, exchange: Exchange, _user: ConsoleUser) -> NamedRows:
        shown = await self._views.show(exchange.parameters["handoff_id"])
        names = HandoffRow.__struct_fields__
        whole = WholeHandoff(
            **{name: getattr(shown.handoff, name) for name in names},
            instructions=shown.body.instructions,
            conversation=shown.conversation,
            missing=shown.missing,
        )
        return await self._listings.one(whole)

    async def _answer(self, exchange: Exchange, user: ConsoleUser) -> Answered:
        answer = await read_act(exchange, _answer)
        handoff_id = exchange.parameters["handoff_id"]
        answered_by = (answer.answered_by or "").strip() or user.key_id
        async with self._acts.doing(
            user, "handoff.answer", handoff_id, {"answered_by": answered_by}
        ):
            record, is_woken = await self._answers.answer(
                handoff_id, text=answer.text, answered_by=answered_by
            )
        return Answered(
            message_id=record.id,
            state=record.state,
            answered_by=record.answered_by,
            woken=is_woken,
        )


_answer: Final = msgspec.json.Decoder(PersonsAnswer)
