"""A ledger and an embedded store with documents in both, written as the indexer writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from indexer.reading.symbols import symbols_of
from indexer.splitting.chunk import Chunk
from indexer.splitting.passage_texts import passage_texts
from indexer.splitting.splitter import split_document
from shared.clock import ManualClock
from shared.embeddings.encoder import DualEncoders
from shared.identifiers import new_id
from shared.index.chunk import FinishedDocument, StoredChunk
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.collections.figures import CollectionFigures
from shared.index.document import Document, NewDocument
from shared.index.documents.changing import DocumentChanges
from shared.index.documents.claiming import DocumentClaims
from shared.index.documents.indexing import DocumentIndexing
from shared.index.documents.passage_rows import PassageRows
from shared.index.documents.posting import DocumentPosts
from shared.index.documents.reading import Documents
from shared.index.embedding_cache import EmbeddingCache
from shared.index.generation_name import generation_name
from shared.index.symbol_table import SymbolTable
from shared.persistence.engine import Database
from shared.retrieval.asking.generation_search import GenerationSearch
from shared.retrieval.asking.keyword_leg import KeywordLeg
from shared.retrieval.asking.question_vectors import QuestionVectors
from shared.retrieval.asking.store_legs import StoreLegs
from shared.retrieval.asking.symbol_leg import SymbolLeg
from shared.retrieval.legs import FINDING, LegName
from shared.retrieval.search import Search
from shared.retrieval.search_request import SearchRequest
from shared.retrieval.search_result import SearchResult
from shared.search.generation import Generation
from shared.search.keyword.keyword_store import KeywordStore
from shared.search.point import Passage, Point, Scope, point_id
from shared.search.vector_store import VectorStore
from shared.settings.indexing.search import SearchSettings
from shared.telemetry.metrics import Metrics


@dataclass(frozen=True)
class SearchedIndex:
    """What tests do with it; each has a tenant of its own."""

    tenant: str
    database: Database
    clock: ManualClock
    store: VectorStore
    encoders: DualEncoders
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def catalogue(self) -> CollectionCatalogue:
        return CollectionCatalogue(self.database, self.clock)

    @property
    def changes(self) -> DocumentChanges:
        return DocumentChanges(self.database, self.clock)

    def of_another_tenant(self) -> SearchedIndex:
        return replace(self, tenant=new_id("ten"))

    @property
    def generation(self) -> str:
        return generation_name(self.encoders.text.name, self.encoders.code.name)

    async def collection(self, name: str = "docs", generation: str | None = None) -> Collection:
        """A new one, and its generation in the store."""
        named = self.generation if generation is None else generation
        if named:
            size = self.encoders.text.dimensions
            await self.store.create(Generation(named, size, size))
        return await self.catalogue.create(self.tenant, name=name, generation=named)

    async def again(self, collection: Collection) -> Collection:
        """As it is now."""
        return await self.catalogue.find(self.tenant, collection.id)

    async def put(
        self, collection: Collection, path: str, text: str, *, finish: bool = True, **labels: Any
    ) -> Document:
        """Post it and index it whole, or up to what is in the store."""
        posts = DocumentPosts(self.database, self.clock)
        content = text.encode()
        digest = hashlib.sha256(content).hexdigest()
        new = NewDocument(path=path, digest=digest, size_bytes=len(content), body=content, **labels)
        await posts.put(self.tenant, collection.id, new)
        cache = EmbeddingCache(self.database, self.clock)
        indexing = DocumentIndexing(self.database, self.clock, cache)
        claims = DocumentClaims(
            self.database, self.clock, indexing, lease_seconds=30, attempt_limit=3
        )
        (held,) = await claims.claim("worker", tenant_id=self.tenant, limit=1, limit_bytes=1)
        split = split_document(path, content, text)
        points = await self._points(held, split.chunks)
        stored = [
            StoredChunk(each.id, nth, path, each.passage.first_line, each.passage.last_line)
            for nth, each in enumerate(points)
        ]
        assert await indexing.plan(collection.target, [(held, stored)])
        await self.store.upsert(Scope(collection.target, self.tenant), points)
        if finish:
            done = FinishedDocument(
                generation=collection.target,
                digest=digest,
                size_bytes=len(content),
                chunks=tuple(each.id for each in points),
                symbols=symbols_of(split.outline) if split.outline else (),
            )
            assert await indexing.finish([(held, done)])
        documents = Documents(self.database)
        return await documents.find(self.tenant, collection.id, held.id)

    async def _points(self, held: Document, chunks: Sequence[Chunk]) -> list[Point]:
        points = []
        for nth, chunk in enumerate(chunks):
            texts = passage_texts(chunk)
            text = (await self.encoders.text.encode([texts.for_text]))[0].tolist()
            code = (await self.encoders.code.encode([texts.for_code or " "]))[0].tolist()
            passage = Passage(
                collection=held.collection_id,
                document=held.id,
                source=held.source,
                path=held.path,
                language=chunk.language,
                kind=chunk.kind,
                ver=held.ver,
                body=texts.body,
                header=chunk.header,
                symbol=chunk.symbol,
                first_line=chunk.first_line,
                last_line=chunk.last_line,
                principals=held.principals,
                attributes=held.attributes,
            )
            key = point_id(
                tenant=self.tenant,
                source=held.collection_id,
                document=held.id,
                key=chunk.key(),
                ordinal=nth,
            )
            points.append(Point(key, passage, text, code if texts.for_code else None))
        return points

    def search(
        self,
        *,
        store: VectorStore | None = None,
        keyword: KeywordStore | None = None,
        encoders: DualEncoders | None = None,
        settings: SearchSettings | None = None,
    ) -> Search:
        """With its parts, or with others in their place."""
        waits = settings or SearchSettings()
        missing = set() if keyword else {LegName.KEYWORD}
        return Search(
            QuestionVectors(
                encoders or self.encoders, timeout_seconds=waits.encoder_timeout_seconds
            ),
            GenerationSearch(
                StoreLegs(store or self.store, timeout_seconds=waits.store_timeout_seconds),
                KeywordLeg(keyword, timeout_seconds=waits.keyword_timeout_seconds),
                SymbolLeg(
                    SymbolTable(self.database),
                    timeout_seconds=waits.symbols_timeout_seconds,
                ),
            ),
            PassageRows(self.database),
            self.catalogue,
            CollectionFigures(self.database),
            waits,
            self.metrics,
            clock=self.clock,
            available=FINDING - missing,
        )

    async def find(
        self,
        text: str,
        *collections: Collection,
        settings: SearchSettings | None = None,
        **asked: Any,
    ) -> SearchResult:
        """Ask all of these as they are now."""
        fresh = [await self.again(each) for each in collections]
        request = SearchRequest(tenant_id=self.tenant, collections=tuple(fresh), text=text, **asked)
        return await self.search(settings=settings).search(request)


def paths(result: SearchResult) -> list[str]:
    """Of the documents that were found, in their order."""
    return [hit.passage.path for hit in result.hits]
