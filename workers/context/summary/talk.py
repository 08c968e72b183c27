"""The part of a conversation that a summary may stand for, and how it is known again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Final

from shared.messages.item import Item
from workers.context.units import newest_turn, units_of
from workers.context.window import RECENT_ITEMS

CHECKPOINT_ITEMS: Final = 4
"""A summary covers so many more than the one before, so that few places are looked at for one."""
_DIGEST_BYTES: Final = 16


class Talk:
    """What a tenant's conversation says besides instructions.

    Only what stands before the last five items is ever summarised, and nothing of what is to be
    answered now. A summary ends where a call has all its outputs. A place in the talk is known by
    the digest of all that was said up to there: whoever changes or deletes a word has another talk.
    """

    def __init__(self, tenant_id: str, items: Sequence[Item]) -> None:
        self.tenant_id = tenant_id
        self.items = [item for item in items if not item.role.instructs]

    @cached_property
    def checkpoints(self) -> dict[int, str]:
        """From how many items are covered to the digest of them, in order."""
        found, digest = dict[int, str](), blake2b(digest_size=_DIGEST_BYTES)
        last = 0
        for unit in self._units():
            for item in self.items[unit.start : unit.stop]:
                digest.update(item.digest())
            if unit.stop // CHECKPOINT_ITEMS > last // CHECKPOINT_ITEMS:
                last = unit.stop
                found[last] = digest.copy().hexdigest()
        return found

    @property
    def root(self) -> str | None:
        """What all lengths of the same conversation have in common; None for a short one."""
        return next(iter(self.checkpoints.values()), None)

    def _units(self) -> list[range]:
        """What may be summarised, in parts that stand or fall together."""
        until = len(self.items) - RECENT_ITEMS
        units = units_of(self.items)
        return [unit for unit in units[: newest_turn(self.items, units)] if unit.stop <= until]
