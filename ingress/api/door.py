"""What every surface that takes messages works with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import msgspec

from ingress.acceptance import Acceptance, AcceptedMessage
from ingress.admission.told_verdict import quota_headers
from ingress.admission.verdict import Refused
from ingress.api.http.error_answer import Header
from ingress.api.http.errors import NO_RETRY, RESPONSE_ID, HttpRefusal, NotAdmitted
from ingress.api.http.exchange import Endpoint, Exchange
from ingress.api.http.request_headers import (
    cache_control,
    client_retry,
    deadline,
    idempotency_key,
    require_json,
    trace_carrier,
)
from ingress.api.principals import PRINCIPALS, with_signed
from ingress.authentication import Authentication, Caller
from ingress.events import FollowedEvents, Replies, has_ended
from ingress.prompt_ledger import PromptLedger, unknown_response
from ingress.references import References
from ingress.reply_source import ReplySource
from shared.accepting.arrival import Arrival, keep, names_nothing, seen_by
from shared.accepting.entrance import key_of
from shared.clock import Clock
from shared.decoding import Json, cut_json
from shared.errors import Unavailable
from shared.messages.body import Body
from shared.messages.record import MessageRecord, Surface
from shared.messages.response import ResponseObject, read_response, response_object
from shared.replies.wakeups import Wake
from shared.reservations.reservations import Reservations
from shared.settings.door import IngressSettings
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import SpanKind, Tracing, extract, inject

UNCHECKED: Final = b"x-forebay-unchecked-patterns"
_MOST_POINTERS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The parts behind the HTTP surface, and the few moves that all of it shares."""

    settings: IngressSettings
    authentication: Authentication
    acceptance: Acceptance
    ledger: PromptLedger
    source: ReplySource
    replies: Replies
    reservations: Reservations
    references: References
    metrics: Metrics
    tracing: Tracing
    clock: Clock

    async def traced(self, exchange: Exchange, work: Endpoint) -> None:
        """Do the work in a span of the caller's trace; plainly, where there is none of either."""
        if not self._is_traced(exchange):
            await work(exchange)
            return
        name, parent = f"{exchange.method} {exchange.route}", extract(trace_carrier(exchange))
        with self.tracing.span(name, SpanKind.SERVER, parent=parent):
            await work(exchange)

    async def caller(self, exchange: Exchange) -> Caller:
        """Who asks; raises Unauthenticated, Forbidden for the principals, LedgerUnavailable."""
        keys = exchange.header(b"authorization"), exchange.header(b"x-api-key")
        caller, signed = await self.authentication.caller(*keys), exchange.headers.get(PRINCIPALS)
        if signed is None and not caller.delegates:
            return caller
        return with_signed(caller, signed, key_of(*keys), self.clock.now())

    async def read_json(self, exchange: Exchange) -> Json:
        """The body, when it says that it is JSON, cut where it is large; raises HttpRefusal."""
        require_json(exchange)
        return await cut_json(await exchange.read_body(limit_bytes=self.settings.body_limit_bytes))

    async def arrival(
        self,
        exchange: Exchange,
        caller: Caller,
        *,
        body: Body,
        surface: Surface,
        asked: msgspec.Struct | None = None,
    ) -> Arrival:
        """The message in this request, which is `asked` where that is in other words than `body`.

        Raises InvalidRequest for its headers, NotFound for a file that it names, LedgerUnavailable.
        """
        if words := cache_control(exchange):
            body = msgspec.structs.replace(body, cache_control=words)
        if body.file_search is not None:
            body = seen_by(body, caller.principals)
        return Arrival(
            tenant=caller.tenant,
            body=body,
            kept=await keep(body),
            surface=surface,
            idempotency_key=idempotency_key(exchange),
            client_retry=client_retry(exchange),
            deadline=deadline(exchange, self.clock),
            trace=inject() if self._is_traced(exchange) else {},
            named_bytes=0
            if names_nothing(body)
            else await self.references.named_bytes(body, tenant_id=caller.tenant.id, asked=asked),
        )

    async def accept(self, arrival: Arrival) -> AcceptedMessage:
        """Let it in; raises NotAdmitted and what Acceptance raises."""
        outcome = await self.acceptance.accept(arrival)
        if isinstance(outcome, Refused):
            raise NotAdmitted(outcome)
        if unchecked := arrival.unchecked_patterns:
            return msgspec.structs.replace(outcome, unchecked_patterns=unchecked)
        return outcome

    @asynccontextmanager
    async def accept_listening(
        self, arrival: Arrival
    ) -> AsyncIterator[tuple[AcceptedMessage, Wake]]:
        """Let it in, with an ear on it from before the commit: no wake-up is missed."""
        async with self.source.listen(arrival.message_id) as wake:
            accepted = await self.accept(arrival)
            if accepted.record.id == arrival.message_id:
                # Before the commit nobody had anything to say of it.
                wake.clear()
                yield accepted, wake
                return
            async with self.source.listen(accepted.record.id) as first_ones:
                yield accepted, first_ones

    async def find(
        self, message_id: str, caller: Caller, *, wait_seconds: float = 0.0
    ) -> MessageRecord:
        """A response of this caller's tenant, who waits so long for it; raises NotFound for every
        other, and LedgerUnavailable."""
        record = await self.ledger.find(
            message_id, tenant_id=caller.tenant.id, wait_seconds=wait_seconds
        )
        if record is None:
            raise unknown_response(message_id)
        return record

    async def final(
        self, exchange: Exchange, record: MessageRecord, wake: Wake, *, seconds: float
    ) -> bytes | None:
        """The response's JSON when it ends; None when time is up or nobody waits any more."""
        with self.metrics.open_waiters.track_inprogress(), exchange.watching(wake):
            return await self.replies.final(
                record, wake, seconds=seconds, wanted=exchange.is_wanted
            )

    async def ended(
        self, exchange: Exchange, record: MessageRecord, wake: Wake
    ) -> ResponseObject | None:
        """The response at its end; None when nobody waits. Raises HttpRefusal when time is up."""
        if has_ended(record):
            return response_object(record)
        final = await self.final(exchange, record, wake, seconds=self.patience(record))
        if final is None and exchange.is_wanted():
            raise self.still_running(record)
        return None if final is None else read_response(final)

    async def stream(
        self,
        exchange: Exchange,
        accepted: AcceptedMessage,
        wake: Wake,
        lines: Callable[[FollowedEvents], AsyncIterator[bytes]],
        *,
        after: int = -1,
    ) -> None:
        """Write the events above `after` until the stream closes or the caller is gone."""
        record = accepted.record
        with self.metrics.open_streams.track_inprogress(), exchange.watching(wake):
            events = self.replies.follow(record, wake, after=after, wanted=exchange.is_wanted)
            await exchange.answer_stream(lines(self.heard(events)), reply_headers(accepted))
            if self.clock.now() < record.deadline:  # later it may have ended without an end
                await self.delivered(exchange, record)

    def heard(self, events: FollowedEvents) -> FollowedEvents:
        """The events of a stream, for who wants to hear of them as well."""
        return events

    async def delivered(self, exchange: Exchange, record: MessageRecord) -> None:
        """Note that a caller was written the end of a message of which nothing is to be kept.

        Where this is lost it is kept until its time is up.
        """
        kept = record.store is not False or record.reply_to is not None
        if not kept and exchange.is_wanted() and not self.replies.stopped:
            with suppress(Unavailable):
                await self.ledger.mark_fetched(record.id)

    def patience(self, record: MessageRecord, asked: float | None = None) -> float:
        """How long a caller may wait for it on this connection."""
        left = (record.deadline - self.clock.now()).total_seconds()
        seconds = min(left, self.settings.wait_limit_seconds)
        return max(0.0, seconds if asked is None else min(seconds, asked))

    def _is_traced(self, exchange: Exchange) -> bool:
        return self.tracing.recording or b"traceparent" in exchange.headers

    def still_running(self, record: MessageRecord) -> HttpRefusal:
        """The answer to a caller whose patience ended before the message did."""
        how = f"Read it with GET /v1/responses/{record.id}."
        headers = (NO_RETRY, (RESPONSE_ID, record.id.encode()))
        if self.replies.stopped:
            return HttpRefusal(
                503,
                f"This door is closing while response '{record.id}' goes on. {how}",
                code="closing",
                headers=((b"retry-after", b"1"), *headers),
            )
        return HttpRefusal(
            504,
            f"Response '{record.id}' has not ended within the time you could wait. {how}",
            code="wait_exceeded",
            headers=headers,
        )


def reply_headers(accepted: AcceptedMessage) -> list[Header]:
    """What every answer to an accepted message carries."""
    headers: list[Header] = [(RESPONSE_ID, accepted.record.id.encode())]
    if accepted.repeated:
        headers.append((b"idempotent-replayed", b"true"))
    if accepted.quota is not None:
        headers += quota_headers(accepted.quota)
    if accepted.unchecked_patterns:
        headers.append((UNCHECKED, _pointers(accepted.unchecked_patterns)))
    return headers


def _pointers(places: tuple[str, ...]) -> bytes:
    """Places as fragments of JSON Pointers, whose names are safe in a header."""
    shown = (f"#{quote(place, errors='replace')}" for place in places[:_MOST_POINTERS])
    return ", ".join(shown).encode()
