"""What a run would do, by the run's own rules, and nothing of it done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from indexer.scanning import missing_to_hold_back
from indexer.sources.found import FoundFile, SkippedFile
from indexer.sources.opening import open_named, source_name
from shared.clock import SystemClock
from shared.errors import NotFound
from shared.identifiers import INDEX_JOB, new_id
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.document import OfferedDocument, document_id
from shared.index.documents.offering import is_same
from shared.index.documents.reading import Documents
from shared.index.jobs.settling import JobSettling

if TYPE_CHECKING:
    from shared.index.collections.collection import Collection
    from shared.persistence.engine import Database

_AT_ONCE: Final = 500


class Forecast(msgspec.Struct):
    """The figures that the job of such a run would have."""

    source: str
    found: int = 0
    changed: int = 0
    skipped: int = 0
    removed: int = 0
    held_back: int = 0
    new: list[str] = []
    """Paths that are not there yet."""
    other: list[str] = []
    """Paths that are there and look changed, or were not finished."""
    gone: list[str] = []
    """Paths that the scan does not list any more."""
    left_out: list[SkippedFile] = []


class DryRun:
    """Looks at a folder and at the ledger, and writes to neither."""

    def __init__(self, database: Database, tenant_id: str, *, limit_bytes: int) -> None:
        self._documents = Documents(database)
        self._catalogue = CollectionCatalogue(database, SystemClock())
        self._jobs = JobSettling(database, SystemClock())
        self._tenant_id = tenant_id
        self._limit_bytes = limit_bytes

    async def of(self, root: Path, wanted: str) -> Forecast:
        """What indexing the folder into that collection would do; raises InvalidRequest,
        Conflict for a name of several collections, and LedgerUnavailable.
        """
        source = source_name(root)
        forecast = Forecast(source)
        into = await self._collection(wanted)
        seen: set[str] = set()
        for some in _groups(open_named(source, limit_bytes=self._limit_bytes).scan()):
            forecast.left_out += [each for each in some if isinstance(each, SkippedFile)]
            found = [each for each in some if isinstance(each, FoundFile)]
            forecast.found += len(found)
            await self._compare(forecast, into, found, seen)
        forecast.skipped = len(forecast.left_out)
        forecast.changed = len(forecast.new) + len(forecast.other)
        if into is not None:
            await self._missing(forecast, into, seen)
        return forecast

    async def _collection(self, wanted: str) -> Collection | None:
        try:
            return await self._catalogue.named(self._tenant_id, wanted)
        except NotFound:
            return None

    async def _compare(
        self,
        forecast: Forecast,
        into: Collection | None,
        found: Iterable[FoundFile],
        seen: set[str],
    ) -> None:
        if into is None:
            forecast.new += [each.path for each in found]
            return
        offered = {
            document_id(into.id, forecast.source, each.path): OfferedDocument(
                each.path, each.size_bytes, each.modified_ns
            )
            for each in found
        }
        seen.update(offered)
        known = await self._documents.of(self._tenant_id, [(into.id, id_) for id_ in offered])
        for id_, each in offered.items():
            there = known.get((into.id, id_))
            if there is None:
                forecast.new.append(each.path)
            elif not is_same(there, each, into.target, None):
                forecast.other.append(each.path)

    async def _missing(self, forecast: Forecast, into: Collection, seen: set[str]) -> None:
        newest = new_id(INDEX_JOB)  # the job that such a run would be
        after: str | None = None
        gone: list[str] = []
        while True:
            page = await self._documents.missing(
                self._tenant_id, into.id, forecast.source, job_id=newest, after=after
            )
            gone += [id_ for id_ in page.ids if id_ not in seen]
            if (after := page.following) is None:
                break
        known = await self._documents.of(self._tenant_id, [(into.id, id_) for id_ in gone])
        forecast.gone = sorted(each.path for each in known.values())
        before = await self._jobs.source(into.id, forecast.source)
        if missing_to_hold_back(gone, before, found=forecast.found):
            forecast.held_back = len(gone)
        else:
            forecast.removed = len(gone)


def _groups(
    entries: Iterator[FoundFile | SkippedFile],
) -> Iterator[list[FoundFile | SkippedFile]]:
    while some := [*islice(entries, _AT_ONCE)]:
        yield some
