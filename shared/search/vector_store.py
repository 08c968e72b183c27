"""What a store of passages promises, whichever engine keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.errors import ForebayError, Unavailable
from shared.search.generation import Generation, GenerationState
from shared.search.label import PassageLabel
from shared.search.point import Change, Page, Passage, Point, Scope
from shared.search.query import Query, SearchAnswer, Where


class StoreUnavailable(Unavailable):
    """The store did not answer in time, or died: the same call again is safe and may succeed."""

    code = "store_unavailable"


class StoreBusy(StoreUnavailable):
    """The store holds as many calls as it may and took this one not: it did nothing of it."""

    code = "store_busy"


class StoreRefused(ForebayError):
    """The engine refused what passed our own checks: the sentence is the engine's."""

    code = "store_refused"


class VectorStore(Protocol):
    """Generations of a collection, each with the points of all tenants.

    Every call but those on a whole generation takes a `Scope`, so none can reach another tenant's
    points. What a call acknowledged survives the death of any process, and every call may be made
    again. Raises `InvalidRequest` before anything is written where an argument is no good,
    `NotFound` where the generation does not exist, `StoreBusy`, `StoreUnavailable` and
    `StoreRefused`.
    """

    async def create(self, generation: Generation) -> None:
        """Makes it, empty; where it is there already with the same dimensions, does nothing.

        Raises `Conflict` where it is there with others.
        """
        ...

    async def drop(self, name: str) -> None:
        """Takes it away with all its points; one that is not there is gone already."""
        ...

    async def generations(self) -> tuple[str, ...]:
        """The names of those that are there, in alphabetical order."""
        ...

    async def describe(self, name: str) -> GenerationState:
        """Its dimensions, and how many points of all tenants it holds."""
        ...

    async def optimize(self, name: str) -> None:
        """Returns when the graph that vectors are found by covers what was written before the call.

        Nothing waits for it but this caller: reads find the same meanwhile, and writes are taken.
        An engine that sees to it by itself does nothing. Hours for millions of points.
        """
        ...

    async def upsert(self, scope: Scope, points: Sequence[Point]) -> None:
        """Writes new points, and over those that are there with the same or a lower `ver`.

        A point of a higher `ver`, or of another tenant, is left as it is, without an error. One
        that was deleted is a new one: what never existed and what is gone look alike.
        """
        ...

    async def delete(self, scope: Scope, ids: Sequence[str], *, ver: int) -> None:
        """Deletes those of these points that have this `ver` or a lower one."""
        ...

    async def change(self, scope: Scope, changes: Sequence[Change], *, ver: int) -> None:
        """Gives points of this `ver` or a lower one their new place and this `ver`.

        It costs no vectors and no words: an unchanged chunk of a changed document is moved so.
        """
        ...

    async def label(
        self, scope: Scope, ids: Sequence[str], label: PassageLabel, *, ver: int
    ) -> None:
        """Gives points of this `ver` or a lower one this label in place of theirs, and this `ver`.

        Whom they are no longer for does not find them from the next query on.
        """
        ...

    async def count(self, scope: Scope, where: Where) -> int:
        """How many of the tenant's points there are, exactly."""
        ...

    async def scroll(
        self, scope: Scope, where: Where, *, limit: int = 1000, start: str | None = None
    ) -> Page:
        """Ids in their own order, from `start` on: the `following` of the page before."""
        ...

    async def read(self, scope: Scope, ids: Sequence[str]) -> dict[str, Passage]:
        """Those of these points that the tenant has, by their ids."""
        ...

    async def query(self, scope: Scope, query: Query) -> SearchAnswer:
        """The best passages of each leg, fused or apart; equal scores in the order of their ids.

        Which of equals are among the last of `limit` is the engine's choice.
        """
        ...

    async def close(self) -> None:
        """Lets go of the engine. What was acknowledged stays."""
        ...
