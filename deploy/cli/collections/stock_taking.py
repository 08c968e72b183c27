"""What the ledger says of a collection held against what its stores have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from shared.errors import NotFound, Unavailable
from shared.search.point import Scope
from shared.search.query import Where
from shared.settings.loading.secrets import with_index_keys

if TYPE_CHECKING:
    from deploy.cli.collections.shelf import Shelf
    from shared.index.collections.collection import Collection
    from shared.index.collections.figures import DocumentCounts


class Stock(msgspec.Struct, frozen=True):
    """The figures of one collection. A store that cannot be asked has None."""

    counts: DocumentCounts
    most_in_store: int
    """Its passages, and what is being written or taken away at this moment."""
    in_store: int | None
    """Points of its generation in the vector store."""
    in_keyword_store: int | None
    """Passages in the keyword store; None also where there is none."""
    trouble: tuple[str, ...] = ()

    @property
    def adds_up(self) -> bool:
        """Whether every store that could be asked has what the ledger says."""
        there = [each for each in (self.in_store, self.in_keyword_store) if each is not None]
        least, most = self.counts.passages, self.most_in_store
        return not self.trouble and all(least <= each <= most for each in there)


async def take_stock(shelf: Shelf, of: Collection) -> Stock:
    """Count on all sides; while documents are indexed the sides differ for a moment."""
    from shared.search.keyword.opening import open_keyword_store
    from shared.search.opening import open_vector_store

    index = with_index_keys(shelf.settings.index)
    scope, where = Scope(of.generation, shelf.tenant_id), Where(collection=(of.id,))
    trouble: list[str] = []
    most = await shelf.chunks(of)
    in_store = in_keyword_store = None
    vectors, keyword = open_vector_store(index), open_keyword_store(index)
    try:
        if of.generation:
            in_store = await vectors.count(scope, where)
            if keyword is not None:
                in_keyword_store = await keyword.count(scope, where)
    except (NotFound, Unavailable) as error:
        trouble.append(error.message)
    finally:
        await vectors.close()
        if keyword is not None:
            await keyword.close()
    return Stock(await shelf.counts(of), most, in_store, in_keyword_store, tuple(trouble))
