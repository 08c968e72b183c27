"""A streamed answer behind the guardrail: its end is held back until the judge has spoken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.messages.item import ReasoningItem
from shared.messages.output import OutputItem
from workers.providers.provider import Piece
from workers.steps.streaming import AnswerStream
from workers.validation.stream_screen import StreamScreen


class ScreenedStream:
    """Sends what the screen lets through, and at the end what the judge let through.

    Where the two differ, the stream says so with `response.restarted` and sends the judged text.
    """

    def __init__(
        self, stream: AnswerStream, open_screen: Callable[[], StreamScreen | None]
    ) -> None:
        self._stream = stream
        self._open_screen = open_screen
        self._screen = open_screen()
        self._sent: list[str] = []
        self._has_thought = False

    async def write(self, piece: Piece) -> None:
        """Take one piece of text; what it sets free leaves. No screen looks at thoughts."""
        if isinstance(piece, ReasoningItem):
            self._has_thought = True
            await self._stream.think(piece)
            return
        released = self._screen.feed(piece) if self._screen is not None else piece
        if released:
            self._sent.append(released)
            await self._stream.write(released)

    async def restart(self) -> None:
        """Take back what has left, if anything has: another attempt begins from the start."""
        if self._sent or self._has_thought:
            await self._stream.restart()
            self._sent.clear()
            self._has_thought = False
        self._screen = self._open_screen()

    async def finish(self, text: str, output: Sequence[OutputItem]) -> None:
        """Send the rest of the judged text, and of the output that it is a part of."""
        if not text.startswith("".join(self._sent)):
            await self.restart()
        elif rest := text[sum(map(len, self._sent)) :]:
            await self._stream.write(rest)
        await self._stream.finish(output)

    async def abandon(self) -> None:
        """Say nothing more of what was held back."""
        await self._stream.abandon()
