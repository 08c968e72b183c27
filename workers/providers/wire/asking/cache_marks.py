"""Up to where Anthropic may keep what its model has read, as its blocks say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from shared.messages.part import CacheBreakpoint
from shared.messages.requests.breakpoints import MOST_BREAKPOINTS
from workers.providers.wire.asking.thoughts import Block
from workers.providers.wire.loose_json import elements, mapping

CACHED: Final = "cache_control"
KEEPS: Final = {"type": "ephemeral"}


def marked(kept: CacheBreakpoint | None) -> Block:
    """What a block has in addition that is kept up to here."""
    if kept is None:
        return {}
    return {CACHED: KEEPS if kept.ttl is None else {**KEEPS, "ttl": kept.ttl}}


def bound_marks(content: Block) -> None:
    """Take out of a request what would have it refused: the marks of earlier turns before the
    last four, and those of five minutes before one of an hour."""
    seen, keeps_long = 0, False
    for block in reversed(list(_blocks(content))):
        told = mapping(block.get(CACHED))
        if not told:
            continue
        is_long = "ttl" in told
        if seen == MOST_BREAKPOINTS or (keeps_long and not is_long):
            del block[CACHED]
            continue
        seen, keeps_long = seen + 1, keeps_long or is_long


def without_marks(content: Block) -> None:
    """Take all of them out."""
    for block in _blocks(content):
        block.pop(CACHED, None)


def has_marks(content: Block) -> bool:
    """Whether a block says it."""
    return any(CACHED in block for block in _blocks(content))


def _blocks(content: Block) -> Iterator[Block]:
    """Those that may say it, in the order in which a model reads."""
    yield from _dicts(content.get("tools"))
    yield from _dicts(content.get("system"))
    for message in _dicts(content.get("messages")):
        yield from _dicts(message.get("content"))


def _dicts(value: object) -> Iterable[Block]:
    return (one for one in elements(value) if isinstance(one, dict))
