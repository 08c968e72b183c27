"""What a model thinks before it speaks: put together, and kept as its maker wants it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.messages.item import ReasoningItem
from shared.storable_text import storable
from workers.providers.provider import Prompt
from workers.providers.wire.asking.thoughts import Block, sealed
from workers.providers.wire.reading import ThoughtPiece

_CONTINUED: Final = frozenset(
    {"thinking", "signature", "text", "summary", "reasoning_content", "reasoning"}
)
"""Fields that come in pieces; any other comes whole."""
_SIGNED: Final = frozenset({"signature", "data"})
"""By one of these its maker knows a thought again."""
_MOST_KEPT: Final = 1_048_576
"""Characters; a thought beyond is not kept, and its maker has to do without."""


class IncomingThoughts:
    """Takes thoughts in pieces until the model speaks, and becomes an item."""

    def __init__(self, prompt: Prompt, *, maker: str) -> None:
        self._is_told = bool(prompt.reasoning and prompt.reasoning.summary)
        self._has_tools = bool(prompt.tools)
        self._maker = maker
        self._blocks: dict[int, dict[str, list[object]]] = {}
        self._text: list[str] = []

    def take(self, pieces: Sequence[ThoughtPiece]) -> None:
        """Note what was thought since."""
        for piece in pieces:
            if piece.text:
                self._text.append(piece.text)
            block = self._blocks.setdefault(piece.place, {})
            for name, value in piece.fields.items():
                block.setdefault(name, []).append(value)

    def item(self) -> ReasoningItem | None:
        """As much as was asked for, and what its maker wants back; None where that is nothing."""
        text = storable("".join(self._text).strip()) if self._is_told else ""
        kept = self._kept()
        if not text and kept is None:
            return None
        summary = ({"type": "summary_text", "text": text},) if text else ()
        return ReasoningItem(summary=summary, encrypted_content=kept)

    def _kept(self) -> str | None:
        """Thoughts without a mark of their maker are kept for the calls that follow from them."""
        blocks = [_whole(block) for block in self._blocks.values()]
        is_signed = any(block.get(name) for block in blocks for name in _SIGNED)
        if not blocks or not (is_signed or self._has_tools):
            return None
        try:
            kept = sealed(blocks, by=self._maker)
        except (UnicodeError, OverflowError):
            return None
        return kept if len(kept) <= _MOST_KEPT else None


def _whole(block: dict[str, list[object]]) -> Block:
    return {
        name: _joined(values) if name in _CONTINUED else values[-1]
        for name, values in block.items()
    }


def _joined(values: list[object]) -> str:
    return "".join(value for value in values if isinstance(value, str))
