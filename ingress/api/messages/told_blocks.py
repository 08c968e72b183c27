"""The blocks of one streamed message: what has been told of them, and what is still to be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

import msgspec

from ingress.api.messages.stream_events import (
    BlockDelta,
    ContentBlockDelta,
    ContentBlockStart,
    ContentBlockStop,
    InputJsonDelta,
    MessageEvent,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
)
from shared.surfaces.messages.blocks import (
    AnswerBlock,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)


class ToldBlocks:
    """Text is told in pieces, all else block by block, whole; what was told stays told."""

    def __init__(self) -> None:
        self._told: list[AnswerBlock] = []
        self._text: list[str] = []
        """The pieces of the block of text that is open; the first one opens it."""

    def __bool__(self) -> bool:
        """Whether anything was told."""
        return bool(self._told or self._text)

    def say(self, text: str) -> Iterator[MessageEvent]:
        """The next piece of text."""
        if not text:
            return
        index = len(self._told)
        if not self._text:
            yield ContentBlockStart(index, TextBlock(""))
        self._text.append(text)
        yield ContentBlockDelta(index, TextDelta(text))

    def end_text(self) -> Iterator[MessageEvent]:
        """Nothing is added to the text any more."""
        if self._text:
            yield ContentBlockStop(len(self._told))
            self._told.append(TextBlock("".join(self._text)))
            self._text = []

    def tell(self, block: AnswerBlock) -> Iterator[MessageEvent]:
        """A block that is whole already."""
        yield from self.end_text()
        if isinstance(block, TextBlock):
            yield from self.say(block.text)
            yield from self.end_text()
            return
        index = len(self._told)
        empty, deltas = _pieces(block)
        yield ContentBlockStart(index, empty)
        for delta in deltas:
            yield ContentBlockDelta(index, delta)
        yield ContentBlockStop(index)
        self._told.append(block)

    def close(self, whole: Sequence[AnswerBlock]) -> list[MessageEvent] | None:
        """What of the whole content has not been told; None where something else was."""
        told, rest = len(self._told), list(whole[len(self._told) :])
        if list(whole[:told]) != self._told:
            return None
        events = list[MessageEvent]()
        if self._text:
            begun, said = rest.pop(0) if rest else None, "".join(self._text)
            if not isinstance(begun, TextBlock) or not begun.text.startswith(said):
                return None
            events += self.say(begun.text[len(said) :])
            events += self.end_text()
        for block in rest:
            events += self.tell(block)
        return events


def _pieces(
    block: ThinkingBlock | RedactedThinkingBlock | ToolUseBlock,
) -> tuple[AnswerBlock, list[BlockDelta]]:
    """How it begins, and what is added to that."""
    match block:
        case ThinkingBlock():
            thought: list[BlockDelta] = [ThinkingDelta(block.thinking)]
            return ThinkingBlock("", ""), [*thought, SignatureDelta(block.signature)]
        case RedactedThinkingBlock():
            return block, []
        case ToolUseBlock():
            given = msgspec.json.encode(block.input).decode()
            return ToolUseBlock(block.id, block.name, {}), [InputJsonDelta(given)]
        case _:
            assert_never(block)
