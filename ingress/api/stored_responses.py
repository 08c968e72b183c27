"""/v1/responses/{id}: read it, wait for it, follow it, cancel it, delete it."""

from __future__ import annotations

from typing import Final

import msgspec

from ingress.acceptance import AcceptedMessage
from ingress.api.door import Door
from ingress.api.http.error_answer import Header
from ingress.api.http.exchange import Exchange
from ingress.api.http.query import known_query
from ingress.api.http.request_headers import wait_preference
from ingress.api.http.sse import event_lines
from ingress.authentication import Caller
from ingress.prompt_ledger import unknown_response
from shared.errors import InvalidRequest
from shared.messages.record import MessageRecord
from shared.messages.response import response_object
from shared.messages.state import ResponseState
from shared.telemetry.message_spans.ending import tell_end

_QUERY: Final = frozenset({"stream", "starting_after", "include_obfuscation"})
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False, "": False}
_MOST_DIGITS: Final = 18


class DeletedResponse(msgspec.Struct, frozen=True):
    """The answer to DELETE."""

    id: str
    object: str = "response"
    deleted: bool = True


class StoredResponses:
    """Responses by their id. Another tenant's do not exist."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def retrieve(self, exchange: Exchange) -> None:
        """The response as it is; with `Prefer: wait=N` as soon as it has ended."""
        door = self._door
        caller = await door.caller(exchange)
        query = _query(exchange)
        message_id = exchange.parameters["response_id"]
        longest = door.settings.wait_limit_seconds
        if _boolean(query, "stream"):
            record = await door.find(message_id, caller, wait_seconds=longest)
            await self._follow(exchange, record, after=_resume_point(exchange, query))
            return
        asked = wait_preference(exchange)
        if asked is None:
            record = await door.find(message_id, caller)
            await exchange.answer(200, await self._told(record))
            if record.state.is_terminal:
                await door.delivered(exchange, record)
            return
        seconds = min(asked, longest)
        until = door.clock.monotonic() + seconds
        record = await door.find(message_id, caller, wait_seconds=seconds)
        body, is_end = await self._long_poll(exchange, record, until=until)
        applied: Header = (b"preference-applied", b"wait=%d" % asked)
        await exchange.answer(200, body, [applied])
        if is_end:
            await door.delivered(exchange, record)

    async def cancel(self, exchange: Exchange) -> None:
        """Cancel it if it has not ended, and answer what it is then."""
        caller = await self._door.caller(exchange)
        record = await cancel_response(self._door, exchange.parameters["response_id"], caller)
        await exchange.answer(200, _encoded(record))

    async def delete(self, exchange: Exchange) -> None:
        """Forget an ended response; raises Conflict while it runs."""
        door = self._door
        caller = await door.caller(exchange)
        message_id = exchange.parameters["response_id"]
        if not await door.ledger.delete(message_id, tenant_id=caller.tenant.id):
            raise unknown_response(message_id)
        await door.source.forget(message_id)
        await exchange.answer(200, msgspec.json.encode(DeletedResponse(message_id)))

    async def _follow(self, exchange: Exchange, record: MessageRecord, *, after: int) -> None:
        async with self._door.source.listen(record.id) as wake:
            found = AcceptedMessage(record)
            await self._door.stream(exchange, found, wake, event_lines, after=after)

    async def _long_poll(
        self, exchange: Exchange, record: MessageRecord, *, until: float
    ) -> tuple[bytes, bool]:
        """The response as it is then, and whether that is its end.

        Neither a busy ledger nor one that goes away meanwhile sends home who waits.
        """
        door = self._door
        if record.state.is_terminal:
            return _encoded(record), True
        async with door.source.listen(record.id) as wake:
            # What it became before we listened is found with the first look.
            left = max(0.0, until - door.clock.monotonic())
            final = await door.final(exchange, record, wake, seconds=left)
        if final is not None:
            return final, True
        current = await door.source.current(record)
        if current is None:
            raise unknown_response(record.id)
        return await self._told(current), current.state.is_terminal

    async def _told(self, record: MessageRecord) -> bytes:
        """With why it waits, where it is held."""
        waiting = await self._door.source.waiting(record)
        return msgspec.json.encode(response_object(record, waiting=waiting))


async def cancel_response(door: Door, message_id: str, caller: Caller) -> MessageRecord:
    """Cancel it if it has not ended, and tell who waits for it; what it is then.

    Raises NotFound for another tenant's, and LedgerUnavailable.
    """
    asked_at = door.clock.now()
    record = await door.ledger.cancel(message_id, tenant_id=caller.tenant.id)
    if record is None:
        raise unknown_response(message_id)
    if record.state is ResponseState.CANCELLED:
        if record.finished_at is not None and record.finished_at >= asked_at:
            tell_end(door.tracing, record)  # what is cancelled again has ended before
        await _close(door, record)
    return record


async def _close(door: Door, record: MessageRecord) -> None:
    """Tell the waiters and the worker, and give the slot back."""
    await door.source.wake(record.id)
    await door.reservations.cancel(
        record.tenant_id,
        record.user_id,
        message_id=record.id,
        estimated_tokens=record.estimated_tokens,
        has_begun=record.attempt > 0,
    )
    # Then its worker: what that bills corrects what was charged here.
    if record.claimed_by is not None:
        await door.source.wake(record.claimed_by)


def _encoded(record: MessageRecord) -> bytes:
    return msgspec.json.encode(response_object(record))


def _query(exchange: Exchange) -> dict[str, str]:
    query = known_query(exchange, _QUERY)
    _boolean(query, "include_obfuscation")
    return query


def _boolean(query: dict[str, str], name: str) -> bool:
    value = _BOOLEANS.get(query.get(name, "false").lower())
    if value is None:
        raise InvalidRequest(f"'{name}' must be true or false.", param=name)
    return value


def _resume_point(exchange: Exchange, query: dict[str, str]) -> int:
    """The number of the last event the caller has; -1 for none."""
    for name, text in (
        ("starting_after", query.get("starting_after")),
        ("Last-Event-ID", exchange.header(b"last-event-id")),
    ):
        if not text:
            continue
        if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
            raise InvalidRequest(f"'{name}' must be the number of an event.", param=name)
        return int(text)
    return -1
