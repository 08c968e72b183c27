"""POST /v1/responses: in the background, waiting, or streaming."""

from __future__ import annotations

from collections.abc import Awaitable

import msgspec

from ingress.acceptance import AcceptedMessage
from ingress.api.door import Door, reply_headers
from ingress.api.http.exchange import Exchange
from ingress.api.http.request_headers import wait_preference
from ingress.api.http.sse import event_lines
from ingress.events import has_ended
from shared.accepting.arrival import Arrival, names_nothing
from shared.messages.record import Surface
from shared.messages.requests.create_response import decode_create_response
from shared.messages.response import response_object


class Responses:
    """Takes a message and gives OpenAI's Response, or the stream of its events."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def create(self, exchange: Exchange) -> Awaitable[None]:
        """Accept one message. What comes after depends on `background` and `stream`."""
        return self._door.traced(exchange, self._create)

    async def _create(self, exchange: Exchange) -> None:
        door = self._door
        caller = await door.caller(exchange)
        raw = await door.read_json(exchange)
        body = decode_create_response(raw, text_limit_bytes=door.settings.text_limit_bytes)
        if not names_nothing(body):
            body = await door.references.resolved(body, tenant_id=caller.tenant.id)
        arrival = await door.arrival(exchange, caller, body=body, surface=Surface.RESPONSES)
        if body.stream:
            await self._stream(exchange, arrival)
        elif body.background:
            accepted = await door.accept(arrival)
            await _answer(exchange, accepted, await self._current(accepted, arrival))
        else:
            await self._wait(exchange, arrival)

    async def _wait(self, exchange: Exchange, arrival: Arrival) -> None:
        door = self._door
        asked = wait_preference(exchange)
        async with door.accept_listening(arrival) as (accepted, wake):
            record = accepted.record
            if has_ended(record):
                await _answer(exchange, accepted, await self._current(accepted, arrival))
                await door.delivered(exchange, record)
                return
            final = await door.final(exchange, record, wake, seconds=door.patience(record, asked))
        if final is not None:
            await _answer(exchange, accepted, final)
            await door.delivered(exchange, record)
        elif asked is not None and not door.replies.stopped:
            # The caller said how long it would wait, and knows what to do afterwards.
            current = await self._current(accepted, arrival)
            await _answer(exchange, accepted, current, status=202)
        elif exchange.is_wanted():
            raise door.still_running(record)

    async def _stream(self, exchange: Exchange, arrival: Arrival) -> None:
        door = self._door
        async with door.accept_listening(arrival) as (accepted, wake):
            await door.stream(exchange, accepted, wake, event_lines)

    async def _current(self, accepted: AcceptedMessage, arrival: Arrival) -> bytes:
        record, body = accepted.record, None if accepted.repeated else arrival.body
        waiting = await self._door.source.waiting(record)
        return msgspec.json.encode(response_object(record, body, waiting=waiting))


async def _answer(
    exchange: Exchange, accepted: AcceptedMessage, body: bytes, *, status: int = 200
) -> None:
    await exchange.answer(status, body, reply_headers(accepted))
