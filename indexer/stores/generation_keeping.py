"""The generation that this indexer's models make: where it is, who reads it, which ones may go."""

from __future__ import annotations

import time
from typing import Final

from shared.embeddings.encoder import DualEncoders
from shared.errors import Unavailable
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.document import Document
from shared.index.generation_name import generation_name
from shared.search.generation import Generation
from shared.search.keyword.keyword_store import KeywordStore
from shared.search.vector_store import VectorStore

_LOOK_AGAIN_SECONDS: Final = 30.0
"""A store that lost it, or was put back to an older day, gets it again after so long."""


class OtherModels(Unavailable):
    """A collection's documents wait for an indexer that has its models."""

    code = "other_models"


class GenerationKeeping:
    """Makes this indexer's generation before it is written to.

    A generation is shared by the collections of all tenants, and goes with the last of them.
    """

    def __init__(
        self,
        encoders: DualEncoders,
        vectors: VectorStore,
        keyword: KeywordStore | None,
        catalogue: CollectionCatalogue,
    ) -> None:
        text, code = encoders
        name = generation_name(text.name, code.name)
        self._own = Generation(name, text.dimensions, code.dimensions)
        self._vectors = vectors
        self._keyword = keyword
        self._catalogue = catalogue
        self._is_made_until = 0.0

    @property
    def name(self) -> str:
        """Of the one that is made with the models of the settings."""
        return self._own.name

    async def of(self, document: Document) -> str:
        """Where the document is to be written now; it is there in both stores.

        Raises NotFound where its collection is deleted, and OtherModels where another indexer has
        to write it.
        """
        collection = await self._catalogue.find(document.tenant_id, document.collection_id)
        target = collection.target
        if target != self.name:
            raise OtherModels(f"Its collection is made by other models, as {target}.")
        await self._make()
        return target

    async def _make(self) -> None:
        if time.monotonic() < self._is_made_until:
            return
        await self._vectors.create(self._own)
        if self._keyword is not None:
            await self._keyword.create(self.name)
        self._is_made_until = time.monotonic() + _LOOK_AGAIN_SECONDS
