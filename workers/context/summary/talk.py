"""The part of a conversation that a summary may stand for, and how it is known again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Final

from shared.messages.item import Item
from workers.context.window import RECENT_ITEMS

CHECKPOINT_ITEMS: Final = 4
"""A summary covers a multiple of this, so that few places are looked at for one."""
_DIGEST_BYTES: Final = 16


class Talk:
    """What a tenant's conversation says besides instructions.

    Only what stands before the last five items is ever summarised. A place in it is known by the
    digest of all that was said up to there: whoever changes or deletes a word has another talk.
    """

    def __init__(self, tenant_id: str, items: Sequence[Item]) -> None:
        self.tenant_id = tenant_id
        self.items = [item for item in items if not item.role.instructs]

    @cached_property
    def checkpoints(self) -> dict[int, str]:
        """From how many items are covered to the digest of them, in order."""
        found, digest = {}, blake2b(digest_size=_DIGEST_BYTES)
        for place, item in enumerate(self.items[:-RECENT_ITEMS], start=1):
            digest.update(item.digest())
            if place % CHECKPOINT_ITEMS == 0:
                found[place] = digest.copy().hexdigest()
        return found

    @property
    def root(self) -> str | None:
        """What all lengths of the same conversation have in common; None for a short one."""
        return self.checkpoints.get(CHECKPOINT_ITEMS)
