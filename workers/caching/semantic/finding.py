"""What a look into the semantic cache may bring, and the look itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from workers.caching.semantic.guard.guard_rule import GuardRule


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored question of the same meaning; its answer may be served."""

    entry_id: str
    """What `add` was given: where the answer lies. It may be gone by now, which is a miss."""
    similarity: float
    """Cosine, -1 to 1."""
    text: str
    """The stored question, to show beside the one that was asked."""


@dataclass(frozen=True, slots=True)
class RefusedHit:
    """A stored question is similar enough, and the guard says that it is another one: a miss."""

    rule: GuardRule
    similarity: float
    text: str
    """The stored question that was refused; the nearest, where there were several."""


Finding = Candidate | RefusedHit | None
"""None: nothing similar enough is stored, or the cache could not be asked in time."""


class SemanticCache(Protocol):
    """Questions by their meaning, shared by all workers.

    A namespace separates what may not be mixed: the caller hashes tenant, agent, model tier,
    system prompt, tools, parameters and index generation into it. The answers themselves lie
    elsewhere, under `entry_id`: to delete one is enough to make its questions miss.

    No method raises for a server that is away or a model that cannot be loaded: a cache that
    cannot help is a miss. `find` never holds the event loop for more than about a millisecond.
    """

    async def find(self, namespace: str, text: str) -> Finding:
        """The most similar stored question that the guard lets through."""
        ...

    async def add(self, namespace: str, text: str, entry_id: str, *, ttl_seconds: float) -> None:
        """Let every worker find `entry_id` under this question for so long."""
        ...

    async def remove(self, namespace: str, entry_id: str) -> None:
        """Let no worker find it any more from its next look on."""
        ...

    async def close(self) -> None:
        """Give up the memory, and end what is loaded in the background."""
        ...
