"""The keys that kombu's Redis transport uses, and the order in which it looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

_PRIORITY_STEPS: Final = (0, 3, 6, 9)
_SEPARATOR: Final = "\x06\x16"
"""What stands between a queue's name and a priority in the name of a list."""
_VISIBILITY_SECONDS: Final = 3600.0


class KombuKeys(msgspec.Struct, frozen=True):
    """As its transport options say, or by kombu's defaults."""

    unacked: str = "unacked"
    index: str = "unacked_index"
    visibility_seconds: float = _VISIBILITY_SECONDS

    @classmethod
    def of(cls, options: dict[str, Any]) -> KombuKeys:
        """Read from a connection's transport options."""
        return cls(
            unacked=options.get("unacked_key", "unacked"),
            index=options.get("unacked_index_key", "unacked_index"),
            visibility_seconds=options.get("visibility_timeout", _VISIBILITY_SECONDS),
        )

    def lists(self, queues: Sequence[str]) -> list[str]:
        """All queues' lists of one priority before any of the next, as BRPOP is given them."""
        return [
            f"{queue}{_SEPARATOR}{step}" if step else queue
            for step in _PRIORITY_STEPS
            for queue in queues
        ]
