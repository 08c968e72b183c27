"""Vary: which variant of the settings a conversation is answered under."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from shared.messages.turn_report import Tier
from shared.settings.watching.variants import ASKED_FOR, CONTROL, VariantSettings
from workers.providers.provider import AUTOMATIC_MODEL
from workers.turn import Turn

_NO_ONES: Final = (None, AUTOMATIC_MODEL, *Tier)
"""What a message names where any provider may answer it."""
_WHOLE: Final = 2**64


class Vary:
    """The same one for all messages of a conversation, in every process and after a restart.

    A message that is in no conversation is one by itself. Shares are laid side by side in the order
    of the names: who raises one moves those alone that lie at its end and behind it.
    """

    name = "vary"

    def __init__(self, variants: Mapping[str, VariantSettings]) -> None:
        self._variants = dict(sorted(variants.items()))

    async def __call__(self, turn: Turn) -> None:
        name = (turn.body.metadata or {}).get(ASKED_FOR)
        if name != CONTROL and name not in self._variants:
            record = turn.record
            name = self._drawn(record.tenant_id, record.conversation_id or record.id)
        if name is None or name == CONTROL:
            return
        turn.variant = self._variants[name]
        turn.tell(variant=name)
        if turn.variant.model is not None and turn.body.model in (None, AUTOMATIC_MODEL):
            turn.model = turn.variant.model
        if turn.body.model in _NO_ONES:
            turn.order = turn.variant.chain

    def _drawn(self, tenant_id: str, conversation: str) -> str | None:
        digest = hashlib.blake2b(f"{tenant_id}\0{conversation}".encode(), digest_size=8).digest()
        place = int.from_bytes(digest) / _WHOLE
        for name, each in self._variants.items():
            if place < each.share:
                return name
            place -= each.share
        return None
