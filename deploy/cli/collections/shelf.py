"""Collections of a tenant with their figures, as the commands about them show them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from deploy.cli.index.tenant import open_index
from shared.clock import SystemClock
from shared.errors import NotFound
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.figures import CollectionFigures

if TYPE_CHECKING:
    from shared.index.collections.collection import Collection
    from shared.index.collections.figures import DocumentCounts, Freshness
    from shared.persistence.engine import Database
    from shared.settings import Settings


class Shelf:
    """One tenant's collections; everything raises LedgerUnavailable."""

    def __init__(self, database: Database, settings: Settings, tenant_id: str) -> None:
        self.database = database
        self.settings = settings
        self.tenant_id = tenant_id
        self.catalogue = CollectionCatalogue(database, SystemClock())
        self._figures = CollectionFigures(database)

    async def all(self, limit: int) -> list[tuple[Collection, DocumentCounts]]:
        """The newest first, each with its documents counted."""
        found = await self.catalogue.list(self.tenant_id, limit=limit)
        counts = await self._figures.counts(self.tenant_id, [each.id for each in found])
        return [(each, counts[each.id]) for each in found]

    async def one(self, name_or_id: str) -> Collection:
        """Raises NotFound with where to look, and Conflict for a name of several."""
        try:
            return await self.catalogue.named(self.tenant_id, name_or_id)
        except NotFound:
            raise NotFound(
                f"There is no collection '{name_or_id}'. See: forebay collections list"
            ) from None

    async def counts(self, of: Collection) -> DocumentCounts:
        return (await self._figures.counts(self.tenant_id, [of.id]))[of.id]

    async def chunks(self, of: Collection) -> int:
        return await self._figures.chunks(self.tenant_id, of.id, of.generation)

    async def freshness(self, of: Collection) -> Freshness:
        return (await self._figures.freshness(self.tenant_id, [of.id]))[of.id]


def plain_collection(collection: Collection) -> dict[str, object]:
    """As `--json` shows it."""
    inner = {"tenant_id", "leaving_generation"}
    return {name: value for name, value in asdict(collection).items() if name not in inner}


@asynccontextmanager
async def open_shelf(tenant: str | None) -> AsyncIterator[Shelf]:
    """Raises what `open_index` raises."""
    async with open_index(tenant) as (database, settings, tenant_id):
        yield Shelf(database, settings, tenant_id)
