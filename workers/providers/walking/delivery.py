"""What of an answer the caller has seen already, and the signal that it no longer counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from workers.providers.provider import TextSink

RestartSignal = Callable[[], Awaitable[None]]


class TextDelivery:
    """Passes text on and remembers that it did, so that no provider is switched silently."""

    def __init__(self, on_delta: TextSink | None, on_restart: RestartSignal | None) -> None:
        self._on_delta = on_delta
        self._on_restart = on_restart
        self._has_delivered = False

    @property
    def sink(self) -> TextSink | None:
        """Where a provider puts its text; None when nobody wants it piece by piece."""
        return self._deliver if self._on_delta is not None else None

    async def start_over(self) -> None:
        """Before another attempt: tell the caller to forget what it has seen, if it has any."""
        if self._has_delivered:
            self._has_delivered = False
            if self._on_restart is not None:
                await self._on_restart()

    async def _deliver(self, text: str) -> None:
        if self._on_delta is not None:
            self._has_delivered = True
            await self._on_delta(text)
