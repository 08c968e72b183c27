"""What a model thought, kept so that who made it gets it back as it was, and nobody else does."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator

import msgspec

from shared.messages.item import FunctionCall, Item, MessageItem, ReasoningItem, Role

Block = dict[str, object]


class _Sealed(msgspec.Struct):
    by: str
    blocks: list[Block]


_decoder = msgspec.json.Decoder(_Sealed)


def sealed(blocks: list[Block], *, by: str) -> str:
    """The blocks as a caller keeps them; `by` names their maker."""
    return urlsafe_b64encode(msgspec.json.encode(_Sealed(by, blocks))).decode()


def unsealed(item: Item, *, by: str) -> list[Block]:
    """The blocks of what this maker thought; none of any other item.

    They come from a caller, and may be anything that is JSON.
    """
    if not isinstance(item, ReasoningItem) or not item.encrypted_content:
        return []
    try:
        found = _decoder.decode(urlsafe_b64decode(item.encrypted_content))
    except (ValueError, RecursionError):
        return []
    return found.blocks if found.by == by else []


class OwnThoughts:
    """What one maker thought in a conversation; each thought is opened once."""

    def __init__(self, *, by: str) -> None:
        self._by = by
        self._opened: dict[str, list[Block]] = {}

    def blocks(self, item: Item) -> list[Block]:
        """What `unsealed` gives."""
        kept = item.encrypted_content if isinstance(item, ReasoningItem) else None
        if kept is None:
            return []
        if kept not in self._opened:
            self._opened[kept] = unsealed(item, by=self._by)
        return self._opened[kept]

    def alone_in(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items; of what was thought, what the maker thought before it went on to speak."""
        waiting: list[Item] = []
        for item in items:
            if isinstance(item, ReasoningItem):
                waiting += [item] if self.blocks(item) else []
                continue
            if _speaks(item):
                yield from waiting
            waiting = []
            yield item


def _speaks(item: Item) -> bool:
    if isinstance(item, MessageItem):
        return item.role is Role.ASSISTANT and bool(item.text().strip())
    return isinstance(item, FunctionCall)
