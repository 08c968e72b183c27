"""What a look into the cache finds, and what a turn holds on to afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from shared.answer_cache.cached_answer import CachedAnswer
from shared.answer_cache.place import CachePlace


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
