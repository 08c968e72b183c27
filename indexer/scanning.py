"""A job's scan: what its source lists is offered, and what it lists no more is removed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from indexer.documents.tenant_shares import TenantShares
from indexer.sources.checkout import CheckoutSource, Revision
from indexer.sources.folder import FolderSource
from indexer.sources.found import FoundFile, SkippedFile, SkipReason
from indexer.sources.opening import open_named
from shared.errors import InvalidRequest, NotFound
from shared.index.document import OfferedDocument
from shared.index.documents.changing import DocumentChanges
from shared.index.documents.offering import DocumentOffers
from shared.index.documents.reading import Documents
from shared.index.jobs.job import IndexJob, ScanOutcome, SourceState
from shared.index.jobs.scanning import Scans
from shared.index.jobs.settling import JobSettling
from shared.index.jobs.skipped_files import SkippedFiles, SkippedPath
from shared.index.waiting_tenants import WaitingTenants
from shared.telemetry.logs import get_logger
from shared.telemetry.tracing import Tracing

_AT_ONCE: Final = 500
_LEAST_COST: Final = 1.0
"""Of a scan, in files: one of an empty folder is no free one."""
_FEWEST_LISTED: Final = 0.5
"""Of what the scan before listed: with no more a source is thought to be broken, not emptied."""
Wake = Callable[[str], object]


class ScanLost(Exception):
    """The job was cancelled, or another process scans for it."""


class Listing(msgspec.Struct):
    """What a scan has seen so far."""

    revision: Revision = Revision(None, None)
    found: int = 0
    changed: int = 0
    skipped: int = 0
    unseen: list[str] = []
    """What could not be looked at, or into: nothing is known of what is there."""


class SourceScanning:
    """Scans for jobs, one at a time, by turns of their tenants; a scan that is repeated offers the
    same again.
    """

    def __init__(
        self,
        tenants: WaitingTenants,
        scans: Scans,
        jobs: JobSettling,
        offers: DocumentOffers,
        changes: DocumentChanges,
        documents: Documents,
        skipped: SkippedFiles,
        *,
        worker: str,
        limit_bytes: int,
        tracing: Tracing,
    ) -> None:
        self._tenants = tenants
        self._shares = TenantShares()
        self._choosing = asyncio.Lock()
        self._scans = scans
        self._jobs = jobs
        self._offers = offers
        self._changes = changes
        self._documents = documents
        self._skipped = skipped
        self._worker = worker
        self._limit_bytes = limit_bytes
        self._tracing = tracing
        self._log = get_logger(__name__)

    async def work(self, wake: Wake) -> bool:
        """Scans for a job that waits for it and calls `wake` as soon as there is something to
        index; False where none waits. Raises LedgerUnavailable; cancelled, it gives the job back.
        """
        job = await self._next()
        if job is None:
            return False
        listing = Listing()
        try:
            await self._one(job, listing, wake)
        finally:
            listed = float(listing.found + listing.skipped)
            self._shares.settle(job.tenant_id, expected=_LEAST_COST, units=_LEAST_COST + listed)
        return True

    async def _next(self) -> IndexJob | None:
        """A job of the tenant for whom fewest files were listed; one that is elsewhere is left."""
        async with self._choosing:
            self._shares.look(await self._tenants.with_jobs())
            for tenant_id in self._shares.order():
                job = await self._scans.claim(self._worker, tenant_id=tenant_id)
                if job is not None:
                    self._shares.begin(tenant_id, _LEAST_COST)
                    return job
        return None

    async def _one(self, job: IndexJob, listing: Listing, wake: Wake) -> None:
        told = {"forebay.job_id": job.id, "forebay.collection_id": job.collection_id}
        try:
            with self._tracing.span("scan", attributes=told):
                await self._scan(job, listing, wake)
        except (InvalidRequest, NotFound) as error:
            await self._scans.fail(job, error.message)
        except OSError as error:
            await self._scans.fail(job, f"Its source cannot be listed: {error.strerror}.")
        except ScanLost:
            self._log.info("scan_lost", job_id=job.id)
        except asyncio.CancelledError:
            await self._scans.give_back(job)
            raise

    async def _scan(self, job: IndexJob, listing: Listing, wake: Wake) -> None:
        source = await asyncio.to_thread(open_named, job.source, limit_bytes=self._limit_bytes)
        listing.revision = await asyncio.to_thread(_revision, source)
        entries = source.scan()
        while some := await asyncio.to_thread(_next, entries):
            await self._take(job, listing, some)
            if listing.changed:
                wake(job.id)
        outcome = await self._settle_missing(job, listing)
        if not await self._scans.scanned(job, outcome):
            raise ScanLost
        wake(job.id)

    async def _take(
        self, job: IndexJob, listing: Listing, some: Sequence[FoundFile | SkippedFile]
    ) -> None:
        offered = [
            OfferedDocument(each.path, each.size_bytes, each.modified_ns)
            for each in some
            if isinstance(each, FoundFile)
        ]
        told = await self._offers.offer(
            job.tenant_id, job.collection_id, job.source, offered, job_id=job.id
        )
        left_out = [each for each in some if isinstance(each, SkippedFile)]
        await self._skipped.add(
            job,
            [
                SkippedPath(ordinal, each.path, each.reason.value, each.why)
                for ordinal, each in enumerate(left_out, listing.skipped)
            ],
        )
        listing.found += len(offered)
        listing.changed += told.changed
        listing.skipped += len(left_out)
        listing.unseen += [each.path for each in left_out if each.reason is SkipReason.UNREADABLE]
        if not await self._scans.tell(
            job, found=listing.found, changed=listing.changed, skipped=listing.skipped
        ) or not await self._scans.renew(job):
            raise ScanLost

    async def _settle_missing(self, job: IndexJob, listing: Listing) -> ScanOutcome:
        missing = await self._missing(job, listing.unseen)
        before = await self._jobs.source(job.collection_id, job.source)
        held_back = None
        if not job.remove_anyway:
            held_back = missing_to_hold_back(missing, before, found=listing.found)
        removed = 0
        if held_back is None:
            for first in range(0, len(missing), _AT_ONCE):
                some = missing[first : first + _AT_ONCE]
                removed += await self._changes.remove(job.tenant_id, job.collection_id, some)
                if not await self._scans.renew(job):
                    raise ScanLost
        return ScanOutcome(
            found=listing.found,
            changed=listing.changed,
            skipped=listing.skipped,
            removed=removed,
            held_back=len(missing) if held_back else 0,
            missing_digest=held_back,
            commit_id=listing.revision.commit,
            branch=listing.revision.branch,
        )

    async def _missing(self, job: IndexJob, unseen: Sequence[str]) -> list[str]:
        """What the scan proved to be absent, in the order of the ids."""
        missing: list[str] = []
        after: str | None = None
        while True:
            page = await self._documents.missing(
                job.tenant_id, job.collection_id, job.source, job_id=job.id, after=after
            )
            missing += await self._absent(job, page.ids, unseen) if unseen else page.ids
            after = page.following
            if after is None:
                return missing
            if not await self._scans.renew(job):
                raise ScanLost

    async def _absent(self, job: IndexJob, ids: Sequence[str], unseen: Sequence[str]) -> list[str]:
        keys = [(job.collection_id, each) for each in ids]
        known = (await self._documents.of(job.tenant_id, keys)).values()
        above = tuple(f"{each}/" for each in unseen)
        return sorted(
            each.id
            for each in known
            if "./" not in above and each.path not in unseen and not each.path.startswith(above)
        )


def missing_to_hold_back(missing: Sequence[str], before: SourceState, *, found: int) -> str | None:
    """The digest of missing documents, in the order of their ids, that are not removed yet: half
    of what was listed before is gone, and the scan before did not miss the same. None where there
    are none, or all of them are to be removed.
    """
    if not missing or found > (before.listed or 0) * _FEWEST_LISTED:
        return None
    digest = hashlib.sha256("\0".join(missing).encode()).hexdigest()
    return None if digest == before.missing_digest else digest


def _next(entries: Iterator[FoundFile | SkippedFile]) -> list[FoundFile | SkippedFile]:
    return [*islice(entries, _AT_ONCE)]


def _revision(source: CheckoutSource | FolderSource) -> Revision:
    return source.revision if isinstance(source, CheckoutSource) else Revision(None, None)
