"""The one stream of a page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.console.guard import Guard
from ingress.console.live.broadcast import Broadcast
from shared.errors import Unauthenticated, Unavailable
from shared.sessions.console_user import ConsoleUser

MOST_STREAMS: Final = 64
_AGAIN: Final = b"retry: 5000\n\n"
_CHECK_BEATS: Final = 15
"""So often it is asked whether the session is still one."""


class LiveStream:
    """Server-sent events: `beat` every second, and `news` of topics that changed, by their names.

    A browser closes its EventSource for good at any answer but 200, so a door that cannot serve
    one, or ends, answers that and says when to come again. A stream ends with its session.
    """

    def __init__(self, broadcast: Broadcast, guard: Guard) -> None:
        self._broadcast = broadcast
        self._guard = guard

    async def follow(self, exchange: Exchange, _user: ConsoleUser) -> None:
        """GET /console/api/live."""
        await exchange.answer_stream(self._events(exchange))

    async def _events(self, exchange: Exchange) -> AsyncIterator[bytes]:
        broadcast = self._broadcast
        yield _AGAIN
        if broadcast.has_stopped() or broadcast.listeners >= MOST_STREAMS:
            return
        known: dict[str, msgspec.Raw] = {}
        async with broadcast.listening():
            beats = 0
            while not exchange.gone:
                await broadcast.beat()
                beats += 1
                if broadcast.has_stopped() or not await self._may_stay(exchange, beats):
                    return
                if news := broadcast.news(known):
                    yield b"event: news\ndata: %b\n\n" % msgspec.json.encode(news)
                yield b"event: beat\ndata: %d\n\n" % beats

    async def _may_stay(self, exchange: Exchange, beats: int) -> bool:
        if beats % _CHECK_BEATS:
            return True
        try:
            await self._guard.user(exchange)
        except Unauthenticated:
            return False
        except Unavailable:
            pass  # nobody can tell: it is asked again
        return True
