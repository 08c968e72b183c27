"""What the statements of the index are run with, and which of them run in which probe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from shared.clock import Clock
from shared.index.collection_sweeps import CollectionSweeps
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.generations import CollectionGenerations
from shared.index.collections.named_generations import NamedGenerations
from shared.index.documents.changing import DocumentChanges
from shared.index.documents.claiming import DocumentClaims
from shared.index.documents.indexing import DocumentIndexing
from shared.index.documents.posting import DocumentPosts
from shared.index.documents.reading import Documents
from shared.index.documents.retiring import RetiredChunks
from shared.index.embedding_cache import EmbeddingCache
from shared.index.embedding_sweeps import EmbeddingSweeps
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.jobs.scanning import Scans
from shared.index.jobs.settling import JobSettling
from shared.index.symbol_table import SymbolTable
from shared.persistence.engine import Database


@dataclass(frozen=True)
class FullIndex:
    """What the statements of the index are run with."""

    database: Database
    clock: Clock

    @cached_property
    def indexing(self) -> DocumentIndexing:
        cache = EmbeddingCache(self.database, self.clock)
        return DocumentIndexing(self.database, self.clock, cache)

    @cached_property
    def claims(self) -> DocumentClaims:
        return DocumentClaims(
            self.database, self.clock, self.indexing, lease_seconds=30, attempt_limit=3
        )

    @cached_property
    def scans(self) -> Scans:
        return Scans(self.database, self.clock, lease_seconds=30, attempt_limit=3)

    @cached_property
    def documents(self) -> Documents:
        return Documents(self.database)

    @cached_property
    def catalogue(self) -> CollectionCatalogue:
        return CollectionCatalogue(self.database, self.clock)

    @cached_property
    def generations(self) -> CollectionGenerations:
        return CollectionGenerations(self.database, self.clock)

    @cached_property
    def changes(self) -> DocumentChanges:
        return DocumentChanges(self.database, self.clock)

    @cached_property
    def posts(self) -> DocumentPosts:
        return DocumentPosts(self.database, self.clock)

    @cached_property
    def sweeps(self) -> CollectionSweeps:
        return CollectionSweeps(self.database, self.clock)

    @cached_property
    def embedding_sweeps(self) -> EmbeddingSweeps:
        return EmbeddingSweeps(self.database, self.clock, days=30)

    @cached_property
    def jobs(self) -> IndexJobs:
        return IndexJobs(self.database, self.clock)

    @cached_property
    def settling(self) -> JobSettling:
        return JobSettling(self.database, self.clock)

    @cached_property
    def retired(self) -> RetiredChunks:
        return RetiredChunks(self.database, self.clock)

    @cached_property
    def symbols(self) -> SymbolTable:
        return SymbolTable(self.database)

    @cached_property
    def named(self) -> NamedGenerations:
        return NamedGenerations(self.database)


PARTS_OF_THE_INDEX: Final = {
    **{
        f"CollectionCatalogue.{name}": "CollectionCatalogue.find"
        for name in ("create", "named", "list", "change", "touch", "delete")
    },
    **{
        f"CollectionGenerations.{name}": "CollectionGenerations.begin"
        for name in ("swap", "abandon", "adopt")
    },
    "NamedGenerations.building": "CollectionGenerations.begin",
    **{f"DocumentIndexing.{name}": "DocumentIndexing.finish" for name in ("plan", "fail", "skip")},
    **{f"DocumentClaims.{name}": "DocumentIndexing.finish" for name in ("renew", "put_off")},
    **{f"Documents.{name}": "Documents.list" for name in ("find", "of", "read", "missing")},
    "IndexRepairs.lost": "IndexRepairs.stored",
    **{f"IndexJobs.{name}": "IndexJobs.create" for name in ("find", "list", "cancel")},
    **{f"JobSettling.{name}": "IndexJobs.create" for name in ("count", "source")},
    **{f"RetiredChunks.{name}": "RetiredChunks.drop_removed" for name in ("retiring", "forget")},
    **{
        f"Scans.{name}": "Scans.claim" for name in ("renew", "tell", "scanned", "fail", "give_back")
    },
    **{f"SkippedFiles.{name}": "Scans.claim" for name in ("add", "list")},
    "DocumentChanges.remove": "DocumentChanges.label",
    "DocumentClaims.give_back": "DocumentIndexing.finish",
    "DocumentPosts.put_all": "DocumentPosts.put",
    "Documents.body": "DocumentPosts.put",
    "EmbeddingSweeps.__call__": "EmbeddingSweeps.sweep",
    "Rebuilding.offer_next": "CollectionGenerations.begin",
    "SymbolTable.points": "SymbolTable.search",
}
"""Methods that are run in another's probe, or are a part of it."""

OF_WHOLE_COLLECTIONS: Final = {
    # Each counts all that a collection, a batch or a job has, for whoever asks for just that.
    "CollectionFigures": {"chunks", "counts", "of_batch"},
    "IndexJobs": {"progress"},
    # Asked when a process begins: they read the collections that are being built or taken down.
    "NamedGenerations": {"all", "of_others"},
    "DocumentChanges": {"cancel"},
}
