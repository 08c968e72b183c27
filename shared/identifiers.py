"""Identifiers: a prefix that says what it names, then 32 hex digits that sort by time.

48 bits of milliseconds keep a table's index appending at its right edge; 80 random bits keep
ids unguessable and free of collisions between processes.
"""

from __future__ import annotations

import time
from random import SystemRandom
from typing import Final

RESPONSE: Final = "resp"
OUTPUT_MESSAGE: Final = "msg"
CONVERSATION: Final = "conv"
HANDOFF: Final = "hand"
DEAD_LETTER: Final = "dead"
REQUEST: Final = "req"
TENANT: Final = "ten"
API_KEY: Final = "key"

_random = SystemRandom()


def new_id(prefix: str) -> str:
    """A fresh id such as `resp_019a3c…`: 32 hex digits after the prefix, ordered by time."""
    milliseconds = int(time.time() * 1000) & 0xFFFF_FFFF_FFFF
    return f"{prefix}_{(milliseconds << 80) | _random.getrandbits(80):032x}"


def new_response_id() -> str:
    """The one id of a message for its whole life."""
    return new_id(RESPONSE)


def sibling_id(prefix: str, other: str) -> str:
    """The id of something there is exactly one of per `other`, derived so that it never changes."""
    return f"{prefix}_{other.rpartition('_')[2]}"
