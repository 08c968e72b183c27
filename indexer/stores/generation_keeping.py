"""The generation that this indexer's models make: where it is, who reads it, which ones may go."""

from __future__ import annotations

import re
import time
from typing import Final

import msgspec

from shared.embeddings.encoder import DualEncoders
from shared.errors import Conflict, NotFound, Unavailable
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.collections.generations import CollectionGenerations
from shared.index.collections.named_generations import NamedGenerations
from shared.index.document import Document
from shared.index.documents.rebuilding import Rebuilding
from shared.index.generation_name import generation_name, is_made_with
from shared.search.generation import Generation
from shared.search.keyword.keyword_store import KeywordStore
from shared.search.vector_store import VectorStore
from shared.telemetry.logs import get_logger

_LOOK_AGAIN_SECONDS: Final = 30.0
"""A store that lost it, or was put back to an older day, gets it again after so long."""
_SWAP_AGAIN_SECONDS: Final = 5.0
"""Whether all is built is found out by reading every document."""
_AT_ONCE: Final = 100
_OURS: Final = re.compile(r"g-[0-9a-f]{12}")


class OtherModels(Unavailable):
    """A collection's documents wait for an indexer that has its models."""

    code = "other_models"


class WrittenGenerations(msgspec.Struct, frozen=True):
    """Where a document is written: in `target`, and where another is searched until that is
    built, in `searched` too; with vectors only where both are of the same models."""

    target: str
    searched: str | None = None
    has_models: bool = True


class GenerationKeeping:
    """Makes this indexer's generation before it is written to, and moves collections into it.

    A generation is shared by the collections of all tenants, and goes with the last of them.
    """

    def __init__(
        self,
        encoders: DualEncoders,
        vectors: VectorStore,
        keyword: KeywordStore | None,
        *,
        catalogue: CollectionCatalogue,
        generations: CollectionGenerations,
        named: NamedGenerations,
        rebuilding: Rebuilding,
    ) -> None:
        text, code = encoders
        self._models = text.name, code.name
        name = generation_name(*self._models)
        self._own = Generation(name, text.dimensions, code.dimensions)
        self._vectors = vectors
        self._keyword = keyword
        self._catalogue = catalogue
        self._generations = generations
        self._named = named
        self._rebuilding = rebuilding
        self._is_made_until = 0.0
        self._offered: set[str] = set()
        """Collections whose documents were all offered for it, as far as this process knows."""
        self._swap_at: dict[str, float] = {}
        self._log = get_logger(__name__)

    @property
    def name(self) -> str:
        """Of the one that is made with the models of the settings."""
        return self._own.name

    async def of(self, document: Document) -> WrittenGenerations:
        """Where the document is to be written now; the target is there in both stores.

        Raises NotFound where its collection is deleted, and OtherModels where another indexer has
        to write it: only whoever leads the rounds moves a collection.
        """
        collection = await self._catalogue.find(document.tenant_id, document.collection_id)
        target = collection.target
        if target == "":
            adopted = await self._generations.adopt(collection.tenant_id, collection.id, self.name)
            target = self.name if adopted else ""
        if target != self.name:
            raise OtherModels(f"Its collection is made by other models, as {target}.")
        await self._make()
        if collection.next_generation is None:
            return WrittenGenerations(target)
        searched = collection.generation
        return WrittenGenerations(target, searched, is_made_with(searched, *self._models))

    async def __call__(self) -> None:
        """One round of who leads: begins what is to be built anew, swaps what is built, and drops
        what nobody reads. Raises Unavailable."""
        for collection in await self._named.of_others(self.name, limit=_AT_ONCE):
            await self._begin(collection)
        for collection in await self._named.building(limit=_AT_ONCE):
            if collection.next_generation == self.name:
                await self._go_on(collection)
        await self._drop_unread()

    async def _begin(self, collection: Collection) -> None:
        try:
            await self._generations.begin(collection.tenant_id, collection.id, self.name)
        except Conflict:
            return  # another is being taken down still
        self._log.info("generation_begun", collection_id=collection.id, generation=self.name)

    async def _go_on(self, collection: Collection) -> None:
        tenant_id, id_ = collection.tenant_id, collection.id
        if id_ not in self._offered:
            after: str | None = None
            while after := (
                await self._rebuilding.offer_next(tenant_id, id_, after=after)
            ).following:
                pass
            self._offered.add(id_)
        if time.monotonic() < self._swap_at.get(id_, 0.0):
            return
        try:
            await self._generations.swap(tenant_id, id_)
        except Conflict:
            self._swap_at[id_] = time.monotonic() + _SWAP_AGAIN_SECONDS
            return
        self._offered.discard(id_)
        self._swap_at.pop(id_, None)
        self._log.info("generation_swapped", collection_id=id_, generation=self.name)

    async def _make(self) -> None:
        if time.monotonic() < self._is_made_until:
            return
        await self._vectors.create(self._own)
        if self._keyword is not None:
            await self._keyword.create(self.name)
        self._is_made_until = time.monotonic() + _LOOK_AGAIN_SECONDS

    async def _drop_unread(self) -> None:
        # First what is there: what a collection takes meanwhile is read by then.
        there = {*await self._vectors.generations()}
        if self._keyword is not None:
            there |= {*await self._keyword.generations()}
        for name in there - await self._named.all() - {self.name}:
            # A server may serve others too: theirs are not empty, or not called so.
            if _OURS.fullmatch(name) and await self._is_empty(name):
                await self._vectors.drop(name)
                if self._keyword is not None:
                    await self._keyword.drop(name)
                self._log.info("generation_dropped", generation=name)

    async def _is_empty(self, name: str) -> bool:
        try:
            return (await self._vectors.describe(name)).points == 0
        except NotFound:
            return True
