"""Where in Redis an answer has its place. Every name begins with the tenant it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.replies.wakeups import wake_channel

ENTRY_PREFIX: Final = "cache_"
_DIGEST_LENGTH: Final = 32
_HEX: Final = frozenset("0123456789abcdef")


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
