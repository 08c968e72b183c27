"""What a store that finds by words alone promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from shared.search.label import PassageLabel
from shared.search.point import Change, Passage, Point, Scope
from shared.search.query import Where


class Highlight(msgspec.Struct, frozen=True):
    """Characters of a passage that answer a word of the question, from `start` up to `end`."""

    field: str
    """`symbol`, `header` or `body`."""
    start: int
    end: int


class KeywordHit(msgspec.Struct, frozen=True):
    """A passage that was found by its words."""

    id: str
    score: float
    """The server's own, 0 to 1: by ranking rules, so no two questions' scores compare."""
    passage: Passage
    highlights: tuple[Highlight, ...]
    """In the order of the fields and of their places; none twice."""


WRITTEN_AT_ONCE: Final = 1000


class WrittenPassage(msgspec.Struct, frozen=True):
    """A passage that is there, of which document and delivery it is."""

    id: str
    document: str
    ver: int


class KeywordStore(Protocol):
    """Generations of a collection, each with the passages of all tenants, without vectors.

    The same scopes, passages and narrowing as a `VectorStore`, and the same errors. Every call
    but those on a whole generation takes a `Scope`, and the store puts the tenant into every
    filter. A write returns when it can be found, and every call may be made again.
    """

    async def create(self, name: str) -> None:
        """Makes the generation, empty; one that is there is brought to what it must be."""
        ...

    async def drop(self, name: str) -> None:
        """Takes it away with all its passages; one that is not there is gone already."""
        ...

    async def generations(self) -> tuple[str, ...]:
        """The names of those that are there, in alphabetical order."""
        ...

    async def upsert(self, scope: Scope, points: Sequence[Point]) -> None:
        """Writes new passages, and over those that are there with the same or a lower `ver`.

        One of a higher `ver`, or of another tenant, is left as it is. Two calls for one point at
        the same time: the one that the server took last stays, whatever its `ver`.
        """
        ...

    async def delete(self, scope: Scope, ids: Sequence[str], *, ver: int) -> None:
        """Deletes those of these passages that have this `ver` or a lower one."""
        ...

    async def change(self, scope: Scope, changes: Sequence[Change], *, ver: int) -> None:
        """Gives passages of this `ver` or a lower one their new place and this `ver`.

        Bound to `ver` as `upsert` is.
        """
        ...

    async def label(
        self, scope: Scope, ids: Sequence[str], label: PassageLabel, *, ver: int
    ) -> None:
        """Gives passages of this `ver` or a lower one this label for theirs, and this `ver`.

        Bound to `ver` as `upsert` is.
        """
        ...

    async def count(self, scope: Scope, where: Where) -> int:
        """How many of the tenant's passages there are, exactly."""
        ...

    async def ids(self, scope: Scope, where: Where, *, limit: int = 1000) -> tuple[str, ...]:
        """Some of the tenant's passages, at most 1,000, in no order.

        For sweeping up what should not be there: delete what it gives, and ask again.
        """
        ...

    async def written(
        self, scope: Scope, where: Where, *, skip: int = 0
    ) -> tuple[WrittenPassage, ...]:
        """The tenant's next `WRITTEN_AT_ONCE` passages behind so many; fewer are the last.

        Their order stays while nobody writes.
        """
        ...

    async def query(
        self, scope: Scope, text: str, where: Where, *, limit: int = 10
    ) -> tuple[KeywordHit, ...]:
        """The best passages by their words, at most 1,000; equal scores in the order of ids.

        Quotes, minus signs and other signs mean nothing; a text without words finds nothing.
        """
        ...

    async def close(self) -> None:
        """Lets go of the server. What was acknowledged stays."""
        ...
