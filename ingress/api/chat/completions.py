"""POST /v1/chat/completions: waiting or streaming."""

from __future__ import annotations

from collections.abc import Awaitable

import msgspec

from ingress.api.chat.chunks import ChunkWriter
from ingress.api.door import Door, reply_headers
from ingress.api.http.exchange import Exchange
from shared.accepting.arrival import Arrival
from shared.messages.record import Surface
from shared.surfaces.chat.completion import chat_completion
from shared.surfaces.chat.request import ChatRequest, decode_chat_request


class ChatEndpoint:
    """The same road as a response, in chat's shape."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def create(self, exchange: Exchange) -> Awaitable[None]:
        """Accept one message, and answer with its completion or its chunks."""
        return self._door.traced(exchange, self._create)

    async def _create(self, exchange: Exchange) -> None:
        door = self._door
        caller = await door.caller(exchange)
        raw = await door.read_json(exchange)
        request, body = decode_chat_request(raw, text_limit_bytes=door.settings.text_limit_bytes)
        arrival = await door.arrival(
            exchange, caller, body=body, surface=Surface.CHAT, asked=request
        )
        if request.stream:
            await self._stream(exchange, arrival, request)
        else:
            await self._wait(exchange, arrival)

    async def _wait(self, exchange: Exchange, arrival: Arrival) -> None:
        door = self._door
        async with door.accept_listening(arrival) as (accepted, wake):
            response = await door.ended(exchange, accepted.record, wake)
        if response is None:
            return
        completion = chat_completion(response)
        await exchange.answer(200, msgspec.json.encode(completion), reply_headers(accepted))
        await door.delivered(exchange, accepted.record)

    async def _stream(self, exchange: Exchange, arrival: Arrival, request: ChatRequest) -> None:
        door = self._door
        async with door.accept_listening(arrival) as (accepted, wake):
            writer = ChunkWriter(
                accepted.record,
                model=request.model,
                include_usage=request.includes_usage,
                offers_tools=bool(arrival.body.tools),
                wants_logprobs=request.logprobs is True,
            )
            await door.stream(exchange, accepted, wake, writer.lines)
