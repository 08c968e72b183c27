"""The console of a door that has another process for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

from ingress.api.http.border import Route
from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import BYTES, EVENT_STREAM, Exchange
from ingress.console.acts import LARGEST_BYTES
from ingress.console.apart.console_process import ConsoleProcess
from ingress.console.apart.forwarded_answer import ForwardedAnswer
from ingress.console.operation import API
from ingress.console.same_page import acts
from ingress.console.static_files import StaticFiles
from shared.errors import Unavailable
from shared.settings import Settings
from shared.status.system_watch import IsWell

_METHODS: Final = ("GET", "POST", "DELETE")
_ANSWER_SECONDS: Final = 120.0
"""For a hundred acts at once, on a broker that takes its time."""
_OF_CONNECTIONS: Final = frozenset(
    {b"connection", b"keep-alive", b"content-length", b"transfer-encoding", b"expect", b"upgrade"}
)
_OF_ANSWERS: Final = _OF_CONNECTIONS | {b"content-type", b"x-request-id"}
_BODILESS: Final = frozenset({204, 304})


class ForwardedConsole:
    """The page comes from here; what it asks and does, from the other process.

    Raises Unavailable where that cannot be asked, HttpRefusal where an act's answer is lost.
    """

    def __init__(self, settings: Settings, broker_is_well: IsWell) -> None:
        self.process = ConsoleProcess(settings, broker_is_well)
        self._files = StaticFiles()

    def routes(self) -> list[Route]:
        """What the door serves of it: who may do what is asked there."""
        path = f"{API}/{{asset}}"
        forwarded = [Route(method, path, self._forward) for method in _METHODS]
        return [*self._files.routes(), *forwarded]

    def give_notice(self) -> None:
        """Let every page look for another door."""
        self.process.give_notice()

    async def close(self) -> None:
        """End the other process."""
        await self.process.close()

    async def _forward(self, exchange: Exchange) -> None:
        body = await exchange.read_body(limit_bytes=LARGEST_BYTES)
        async with self.process.connected() as (reader, writer):
            writer.write(_request(exchange, body))
            try:
                await _hand_back(exchange, ForwardedAnswer(reader))
            except Unavailable as error:
                if acts(exchange):
                    raise _not_known() from error
                raise


async def _hand_back(exchange: Exchange, answer: ForwardedAnswer) -> None:
    try:
        await asyncio.wait_for(answer.head(), _ANSWER_SECONDS)
    except TimeoutError as error:
        raise Unavailable("The console's own process does not answer.") from error
    # In the log, and to those who ask, it is one request.
    exchange.request_id = answer.header(b"x-request-id").decode("latin-1")
    await _answer(exchange, answer)


async def _answer(exchange: Exchange, answer: ForwardedAnswer) -> None:
    headers, kind = answer.headers_but(_OF_ANSWERS), answer.header(b"content-type")
    if answer.status in _BODILESS:
        await exchange.answer_nothing(answer.status, headers)
    elif kind == EVENT_STREAM:
        await exchange.answer_stream(_while_wanted(exchange, answer))
    elif kind == BYTES:
        length = answer.header(b"content-length")
        size = int(length) if length else None
        await exchange.answer_pieces(answer.pieces(), size=size, headers=headers)
    else:
        body = await answer.whole()
        await exchange.answer(answer.status, body, headers, content_type=kind)


def _not_known() -> HttpRefusal:
    return HttpRefusal(
        503,
        "The console's own process ended before it answered; it is not known whether this was "
        "done. Look before you do it again.",
        code="act_unknown",
    )


async def _while_wanted(exchange: Exchange, answer: ForwardedAnswer) -> AsyncIterator[bytes]:
    async for piece in answer.pieces():
        if exchange.gone:
            return
        yield piece


def _request(exchange: Exchange, body: bytes) -> bytes:
    method = "GET" if exchange.method == "HEAD" else exchange.method
    target = quote(exchange.path).encode() + (b"?" + exchange.asked if exchange.asked else b"")
    headers = {b"host": b""} | exchange.headers  # HTTP/1.0 needs none
    lines = [b"%b %b HTTP/1.1" % (method.encode(), target)]
    lines += [b"%b: %b" % header for header in headers.items() if header[0] not in _OF_CONNECTIONS]
    lines += [b"content-length: %d" % len(body), b"connection: close", b"", body]
    return b"\r\n".join(lines)
