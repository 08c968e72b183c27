"""A streamed answer behind the guardrail: its end is held back until the judge has spoken."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from shared.messages.item import ReasoningItem
from shared.messages.output import Logprobs, OutputItem, OutputMessage, TokenLogprob
from workers.providers.provider import Piece
from workers.steps.streaming import AnswerStream
from workers.validation.marks import MarkReader
from workers.validation.stream_screen import StreamScreen


class Screening(Protocol):
    """Says what may leave before the judge has spoken."""

    def open_screen(self) -> StreamScreen | None:
        """What holds the end of one streamed answer back."""

    async def told_tokens(self, tokens: Sequence[TokenLogprob]) -> tuple[TokenLogprob, ...]:
        """Those that may leave with the text that they are of."""


class ScreenedStream:
    """Sends what the screen lets through, and at the end what the judge let through.

    Where the two differ, the stream says so with `response.restarted` and sends the judged text.
    """

    def __init__(
        self,
        stream: AnswerStream,
        screening: Screening,
        marks: Callable[[], MarkReader] | None = None,
    ) -> None:
        """With `marks` those are taken out that refer to passages."""
        self._stream = stream
        self._open_marks = marks
        self._marks = marks() if marks is not None else None
        self._screening = screening
        self._screen = screening.open_screen()
        self._sent: list[str] = []
        self._tokens: _HeldTokens | None = None
        self._has_thought = False

    async def write(self, piece: Piece) -> None:
        """Take one piece of text; what it sets free leaves. No screen looks at thoughts."""
        if isinstance(piece, ReasoningItem):
            self._has_thought = True
            await self._stream.think(piece)
            return
        if isinstance(piece, Logprobs):
            if self._marks is not None:
                return  # they are of a text with marks
            if self._tokens is None:
                self._tokens = _HeldTokens()
            self._tokens.take(await self._screening.told_tokens(piece.tokens))
            return
        released = self._screen.feed(piece) if self._screen is not None else piece
        leaving = self._tokens.leaving(piece, released) if self._tokens is not None else ()
        if self._marks is not None:
            released = self._marks.feed(released)
        if released:
            self._sent.append(released)
            await self._stream.write(released, leaving)

    async def restart(self) -> None:
        """Take back what has left, if anything has: another attempt begins from the start."""
        if self._sent or self._has_thought:
            await self._stream.restart()
            self._sent.clear()
            self._has_thought = False
        self._tokens = None
        self._marks = self._open_marks() if self._open_marks is not None else None
        self._screen = self._screening.open_screen()

    async def finish(self, text: str, output: Sequence[OutputItem]) -> None:
        """Send the rest of the judged text, and of the output that it is a part of."""
        if not text.startswith("".join(self._sent)):
            await self.restart()
        else:
            rest = text[sum(map(len, self._sent)) :]
            tokens = _tokens_of(output)[self._tokens.left if self._tokens is not None else 0 :]
            if rest or (tokens and text):
                await self._stream.write(rest, tokens)
        await self._stream.finish(output)

    async def abandon(self) -> None:
        """Say nothing more of what was held back."""
        await self._stream.abandon()


class _HeldTokens:
    """Each leaves with the text that holds its end; none from where they are not the text."""

    def __init__(self) -> None:
        self._waiting = deque[TokenLogprob]()
        self._come = bytearray()
        """What has come of the text and not left."""
        self._begun = bytearray()
        """What has left, and the token of it has not."""
        self._are_of_the_text = True
        self.left = 0
        """How many have left."""

    def take(self, tokens: Sequence[TokenLogprob]) -> None:
        """Those of the text that comes next."""
        self._waiting += tokens

    def leaving(self, come: str, released: str) -> tuple[TokenLogprob, ...]:
        """Those that leave when, of all that has come up to now, so much more does."""
        gone = released.encode()
        self._come += come.encode()
        self._are_of_the_text &= self._come.startswith(gone)
        if not self._are_of_the_text:
            return ()
        del self._come[: len(gone)]
        self._begun += gone
        return tuple(self._whole())

    def _whole(self) -> Iterator[TokenLogprob]:
        while self._waiting and len(self._waiting[0].bytes) <= len(self._begun):
            told = bytes(self._waiting[0].bytes)
            if not self._begun.startswith(told):
                self._are_of_the_text = False
                return
            del self._begun[: len(told)]
            self.left += 1
            yield self._waiting.popleft()


def _tokens_of(output: Sequence[OutputItem]) -> list[TokenLogprob]:
    """Of what the judge let through; none where it changed the text."""
    said = [part for item in output if isinstance(item, OutputMessage) for part in item.content]
    return [token for part in said for token in part.logprobs]
