"""One call, treated as the script says, down to the bytes and the socket."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from aiohttp import web

from deploy.scripted_provider.answering import ScriptedReply
from deploy.scripted_provider.anthropic_format import AnthropicFormat
from deploy.scripted_provider.behaviour import ERRORS, Behaviour, Kind, ScriptedError
from deploy.scripted_provider.call import ScriptedCall
from deploy.scripted_provider.openai_format import OpenAIFormat

_EVENT_STREAM = "text/event-stream"
_BROKEN_JSON = b'{"choices": [{"message": {"content": "the rest is mis'


class CutByScript(Exception):
    """The connection was closed on purpose."""


class Performance:
    """Treats one call. Raises `CutByScript` when the connection is gone because it should be."""

    def __init__(
        self,
        request: web.Request,
        call: ScriptedCall,
        behaviour: Behaviour,
        *,
        wire_format: OpenAIFormat | AnthropicFormat,
        reply: ScriptedReply,
    ) -> None:
        self._request = request
        self._call = call
        self._behaviour = behaviour
        self._format = wire_format
        self._reply = reply

    async def run(self) -> web.StreamResponse:
        if self._behaviour.seconds:
            await asyncio.sleep(self._behaviour.seconds)
        kind = self._behaviour.kind
        if kind in ERRORS:
            return self._error(ERRORS[kind])
        match kind:
            case Kind.HANG:
                return await _wait_for_ever()
            case Kind.DISCONNECT:
                return self._cut()
            case Kind.SLOW_DRIP:
                return await self._drip()
            case Kind.STALL | Kind.CUT_STREAM:
                return await self._break_off()
            case Kind.ERROR_IN_STREAM if self._call.stream:
                return self._events(self._first_events() + self._error_event())
            case Kind.ERROR_IN_STREAM:
                return self._error(ERRORS[Kind.SERVER_ERROR])
            case Kind.MALFORMED_JSON if self._call.stream:
                return self._events(self._first_events() + b"data: " + _BROKEN_JSON + b"\n\n")
            case Kind.MALFORMED_JSON:
                return web.Response(body=_BROKEN_JSON, content_type="application/json")
            case Kind.RAW:
                body = (self._behaviour.text or "").encode("utf-8", "surrogatepass")
                return self._events(body, status=self._behaviour.status or 200)
            case _:
                return self._answer(with_usage=kind is not Kind.NO_USAGE)

    def _answer(self, *, with_usage: bool) -> web.Response:
        if not self._call.stream:
            body = self._format.whole(self._reply, with_usage=with_usage)
            return web.Response(body=body, content_type="application/json")
        return self._events(
            self._format.opening(self._reply, with_usage=with_usage)
            + b"".join(map(self._format.token, self._reply.tokens))
            + self._format.closing(self._reply, with_usage=with_usage)
        )

    def _error(self, error: ScriptedError) -> web.Response:
        behaviour = self._behaviour
        status = behaviour.status or error.status
        headers = {}
        if behaviour.retry_after_seconds is not None:
            headers["Retry-After"] = f"{behaviour.retry_after_seconds:g}"
        message = behaviour.message or error.message
        body = self._format.error(status, kind=error.kind, message=message, code=error.code)
        return web.Response(
            status=status, body=body, headers=headers, content_type="application/json"
        )

    async def _drip(self) -> web.StreamResponse:
        return await self._begin(*self._pieces())

    async def _begin(self, *pieces: bytes) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = _EVENT_STREAM if self._call.stream else "application/json"
        await response.prepare(self._request)
        for piece in pieces:
            await response.write(piece)
            if self._behaviour.kind is Kind.SLOW_DRIP:
                await asyncio.sleep(self._behaviour.every_seconds)
        return response

    async def _break_off(self) -> web.StreamResponse:
        first = self._first_events() if self._call.stream else self._pieces()[0]
        await self._begin(first)
        if self._behaviour.kind is Kind.STALL:
            await _wait_for_ever()
        self._cut()

    def _pieces(self) -> list[bytes]:
        """The body in as many pieces as it has tokens, or in two where it is one JSON object."""
        if not self._call.stream:
            body = self._format.whole(self._reply)
            return [body[: len(body) // 2], body[len(body) // 2 :]]
        tokens = [self._format.token(token) for token in self._reply.tokens]
        return [self._format.opening(self._reply), *tokens, self._format.closing(self._reply)]

    def _first_events(self) -> bytes:
        tokens = self._reply.tokens[: self._behaviour.after_tokens]
        return self._format.opening(self._reply) + b"".join(map(self._format.token, tokens))

    def _error_event(self) -> bytes:
        return self._format.error_event(self._behaviour.message or "the scripted model fell over")

    def _events(self, body: bytes, *, status: int = 200) -> web.Response:
        return web.Response(body=body, status=status, content_type=_EVENT_STREAM)

    def _cut(self) -> NoReturn:
        if self._request.transport is not None:
            self._request.transport.close()
        raise CutByScript


async def _wait_for_ever() -> NoReturn:
    await asyncio.Event().wait()
    raise CutByScript
