"""A collection held against its stores, and what is to be mended written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.stores.repair import store_repair
from shared.clock import SystemClock
from shared.search.keyword.opening import open_keyword_store
from shared.search.opening import open_vector_store
from shared.settings.loading.secrets import with_index_keys

if TYPE_CHECKING:
    from deploy.cli.collections.shelf import Shelf
    from shared.index.collections.collection import Collection
    from shared.index.repairs import RepairOutcome


async def mend(shelf: Shelf, of: Collection) -> RepairOutcome:
    """What indexers will do about it. Raises Conflict and Unavailable."""
    index, clock = with_index_keys(shelf.settings.index), SystemClock()
    vectors, keyword = open_vector_store(index), open_keyword_store(index)
    repair = store_repair(shelf.database, clock, vectors, keyword)
    try:
        return await repair.repair(of)
    finally:
        await vectors.close()
        if keyword is not None:
            await keyword.close()
