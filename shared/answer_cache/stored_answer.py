"""A stored answer: what is kept, where in Redis, and what a look for it finds.

Every name in Redis begins with the tenant it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Final

import msgspec

from shared.replies.wakeups import wake_channel

ENTRY_PREFIX: Final = "cache_"
_DIGEST_LENGTH: Final = 32
_HEX: Final = frozenset("0123456789abcdef")


class CachedAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A whole answer and where it came from.

    `cost` is what it cost when a provider gave it, so that each further use can say what it
    saved; None is unknown.
    """

    text: str
    model: str
    answered_by: str
    response_id: str
    """The message it was the answer to."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None
    items: str | None = None
    """What it had beside its text, as the ledger keeps it: its search, and what it cites."""


_decoder = msgspec.json.Decoder(CachedAnswer)


def encode_answer(answer: CachedAnswer) -> bytes:
    """The answer as Redis keeps it."""
    return msgspec.json.encode(answer)


def decode_answer(stored: bytes) -> CachedAnswer | None:
    """The answer from Redis; None for what another version wrote and this one cannot read."""
    try:
        return _decoder.decode(stored)
    except msgspec.DecodeError:
        return None


@dataclass(frozen=True, slots=True)
class CachePlace:
    """One tenant's place for the answer to one question; `digest` is 32 hex digits."""

    tenant_id: str
    digest: str

    @property
    def entry_id(self) -> str:
        """What callers name it by."""
        return ENTRY_PREFIX + self.digest

    @property
    def entry(self) -> str:
        return entry_prefix(self.tenant_id) + self.digest

    @property
    def flight(self) -> str:
        return f"forebay:cache:{{{self.tenant_id}}}:flight:{self.digest}"

    @property
    def listeners(self) -> str:
        """What those who wait for the flight listen to, as `Wakeups` takes it."""
        return f"flight:{self.tenant_id}:{self.digest}"

    @property
    def channel(self) -> str:
        return wake_channel(self.listeners)


def place_of(tenant_id: str, entry_id: str) -> CachePlace | None:
    """The place behind an id of the tenant's; None for what is no such id."""
    digest = entry_id.removeprefix(ENTRY_PREFIX)
    if digest == entry_id or len(digest) != _DIGEST_LENGTH or not _HEX.issuperset(digest):
        return None
    return CachePlace(tenant_id, digest)


def entry_prefix(tenant_id: str) -> str:
    """What the keys of all the tenant's entries begin with."""
    return f"forebay:cache:{{{tenant_id}}}:entry:"


def generation_key(tenant_id: str) -> str:
    """Where the tenant's generation is: entries of another one are out of reach."""
    return f"forebay:cache:{{{tenant_id}}}:generation"


def index_key(tenant_id: str) -> str:
    """The digests of the tenant's entries by the time they were stored."""
    return f"forebay:cache:{{{tenant_id}}}:index"


class FlightRole(IntEnum):
    """Where a message stands among those that ask the same at this moment."""

    NONE = 0
    """It takes no part: it found its answer, or did not ask for a seat."""
    LEADS = 1
    """It calls the provider; the others wait for what it brings."""
    FOLLOWS = 2
    """Another one is calling."""
    ALONE = 3
    """The last leader brought nothing that could be shared: everybody calls by itself."""


@dataclass(slots=True)
class CacheTicket:
    """What a turn needs to store its answer where its question was looked up.

    `generation` is the tenant's at that moment: an answer that took longer than the generation
    lasted is not stored.
    """

    place: CachePlace
    generation: bytes
    namespace: str = ""
    """Within it questions of the same meaning may have one answer."""
    question: str = ""
    """The question, where it stands alone; empty where words may mean something else."""
    landed: bool = False
    """Whether the answer is stored, so that whoever waits for this flight finds it."""


@dataclass(frozen=True, slots=True)
class CacheFinding:
    """One look: the answer, or where the message stands without one."""

    generation: bytes
    role: FlightRole
    answer: CachedAnswer | None = None
    age_seconds: float = 0.0
