"""POST /v1/messages: waiting or streaming; POST /v1/messages/count_tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import msgspec

from ingress.acceptance import AcceptedMessage
from ingress.api.door import Door, reply_headers
from ingress.api.http.error_answer import Header
from ingress.api.http.errors import NotAdmitted
from ingress.api.http.exchange import Exchange
from ingress.api.messages.limit_headers import limit_headers
from ingress.api.messages.streaming import MessageWriter
from shared.accepting.arrival import Arrival
from shared.messages.record import Surface
from shared.replies.wakeups import Wake
from shared.surfaces.messages.message import MessageTokensCount, message_object
from shared.surfaces.messages.request import (
    MessagesRequest,
    decode_count_tokens,
    decode_messages_request,
)


class MessagesEndpoint:
    """The same road as a response, in the shape of Anthropic's messages.

    What a version or a beta brings is asked for by fields and tools, and refused where we have it
    not: the headers that only name them are not looked at.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def create(self, exchange: Exchange) -> Awaitable[None]:
        """Accept one message, and answer with the one that answers it, or with its events."""
        return self._door.traced(exchange, self._create)

    async def _create(self, exchange: Exchange) -> None:
        door = self._door
        _begin(exchange)
        caller = await door.caller(exchange)
        request, body = decode_messages_request(
            await door.read_json(exchange), text_limit_bytes=door.settings.text_limit_bytes
        )
        arrival = await door.arrival(
            exchange, caller, body=body, surface=Surface.MESSAGES, asked=request
        )
        if request.stream:
            await self._stream(exchange, arrival, request)
        else:
            await self._wait(exchange, arrival, request)

    async def count_tokens(self, exchange: Exchange) -> None:
        """How much a model would have to read, estimated; nothing is accepted."""
        _begin(exchange)
        door = self._door
        caller = await door.caller(exchange)
        body = decode_count_tokens(
            await door.read_json(exchange), text_limit_bytes=door.settings.text_limit_bytes
        )
        tokens = body.tokens() + await door.references.named_tokens(body, caller.tenant.id)
        await exchange.answer(200, msgspec.json.encode(MessageTokensCount(tokens)))

    async def _wait(self, exchange: Exchange, arrival: Arrival, request: MessagesRequest) -> None:
        door = self._door
        async with self._accepted(exchange, arrival) as (accepted, wake):
            response = await door.ended(exchange, accepted.record, wake)
        if response is None:
            return
        message = message_object(response, shows_thoughts=request.shows_thoughts)
        await exchange.answer(200, msgspec.json.encode(message), reply_headers(accepted))

    async def _stream(self, exchange: Exchange, arrival: Arrival, request: MessagesRequest) -> None:
        door = self._door
        async with self._accepted(exchange, arrival) as (accepted, wake):
            writer = MessageWriter(
                accepted.record,
                model=request.model,
                input_tokens=arrival.input_tokens,
                shows_thoughts=request.shows_thoughts,
                request_id=exchange.request_id,
            )
            await door.stream(exchange, accepted, wake, writer.lines)

    @asynccontextmanager
    async def _accepted(
        self, exchange: Exchange, arrival: Arrival
    ) -> AsyncIterator[tuple[AcceptedMessage, Wake]]:
        """Let it in, with an ear on it; either verdict says how much may still be sent."""
        door = self._door
        try:
            async with door.accept_listening(arrival) as (accepted, wake):
                _add(exchange, limit_headers(accepted.quota, door.clock.now()))
                yield accepted, wake
        except NotAdmitted as error:
            _add(exchange, limit_headers(error.refused.quota, door.clock.now()))
            raise


def _begin(exchange: Exchange) -> None:
    """Every answer has the request's id where Anthropic's clients look for it."""
    _add(exchange, [(b"request-id", exchange.request_id.encode())])


def _add(exchange: Exchange, headers: list[Header]) -> None:
    exchange.added = (*exchange.added, *headers)
