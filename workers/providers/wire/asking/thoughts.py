"""What a model thought, kept so that who made it gets it back as it was, and nobody else does."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Final

import msgspec

from shared.messages.item import FunctionCall, Item, MessageItem, ReasoningItem, Role
from workers.providers.wire.loose_json import elements, mapping

Block = dict[str, object]
NAMES_A_SIGNATURE: Final = re.compile(r"signature", re.IGNORECASE)
"""What a server says that does not know a thought again."""
_MOST_REFUSED: Final = 4_096


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


class RefusedThoughts:
    """By their signatures, the thoughts that a server did not know as its own: the latest few
    thousand. A conversation goes on without them."""

    def __init__(self) -> None:
        self._digests: dict[bytes, None] = {}

    def note(self, sent: Mapping[str, object]) -> bool:
        """Leave out from now on all that are in `sent`: the server names one by a place of its
        own. False where none is, and the next request would be the same."""
        found = {digest for block in _blocks_in(sent) for digest in _digests(block)}
        is_news = bool(found - self._digests.keys())
        self._digests |= dict.fromkeys(found)
        for oldest in list(self._digests)[: max(0, len(self._digests) - _MOST_REFUSED)]:
            del self._digests[oldest]
        return is_news

    def has_one_of(self, blocks: Iterable[Block]) -> bool:
        """Whether one of the blocks was refused."""
        if not self._digests:
            return False
        return any(digest in self._digests for block in blocks for digest in _digests(block))


def _blocks_in(sent: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for message in elements(sent.get("messages")):
        for field in ("content", "reasoning_details"):
            yield from map(mapping, elements(mapping(message).get(field)))


def _digests(block: Mapping[str, object]) -> Iterator[bytes]:
    for field in ("signature", "data"):
        if isinstance(mark := block.get(field), str):
            yield blake2b(mark.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class OwnThoughts:
    """What one maker thought in a conversation; each thought is opened once."""

    def __init__(self, *, by: str, refused: RefusedThoughts) -> None:
        self._by = by
        self._refused = refused
        self._opened: dict[str, list[Block]] = {}

    def blocks(self, item: Item) -> list[Block]:
        """What `unsealed` gives, of what the maker takes back."""
        kept = item.encrypted_content if isinstance(item, ReasoningItem) else None
        if kept is None:
            return []
        if kept not in self._opened:
            blocks = unsealed(item, by=self._by)
            self._opened[kept] = [] if self._refused.has_one_of(blocks) else blocks
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
