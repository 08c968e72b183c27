"""/v1/index/jobs: look how far jobs are, follow one, and cancel it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.http.query import known_query, page_limit, place_in_list, whole_number
from ingress.api.http.sse import KEEP_ALIVE
from ingress.api.index.index_door import IndexDoor
from ingress.api.index.job_object import (
    IndexJobList,
    IndexJobObject,
    SkippedFileList,
    job_object,
)
from ingress.authentication import Caller
from shared.accepting.posted_documents import storable_id
from shared.errors import InvalidRequest
from shared.identifiers import INDEX_JOB
from shared.index.jobs.index_jobs import UNFINISHED, IndexJobs
from shared.index.jobs.job import IndexJob
from shared.index.jobs.skipped_files import SkippedFiles

_IDS: Final = re.compile(f"{INDEX_JOB}_[0-9a-f]{{32}}")
_LOOK_SECONDS: Final = 1.0
_SILENT_LOOKS: Final = 15
_USUAL_PAGE: Final = 20
_LARGEST_PAGE: Final = 100
_MOST_SKIPPED: Final = 1_000
_LARGEST_ORDINAL: Final = 999_999_999
_TRUTHS: Final = {"true": True, "false": False}


class IndexJobEndpoints:
    """Jobs of the caller's tenant. They are begun where their sources are: `forebay index`."""

    def __init__(self, index: IndexDoor, jobs: IndexJobs, skipped: SkippedFiles) -> None:
        self._index = index
        self._jobs = jobs
        self._skipped = skipped

    async def list(self, exchange: Exchange) -> None:
        """A page of them, the newest first."""
        index = self._index
        caller = await index.owner(exchange)
        query = known_query(exchange, {"collection", "limit", "after"})
        limit = page_limit(query, usual=_USUAL_PAGE, largest=_LARGEST_PAGE)
        after = place_in_list(query, "after", _IDS, of="a job")
        collection = None
        if named := query.get("collection"):
            collection = (await index.named(caller, named, param="collection")).id
        found = await index.patience.wait(
            self._jobs.list(
                caller.tenant.id,
                collection_id=collection,
                after=after,
                limit=limit + 1,
            )
        )
        told = [await self._told(caller, each) for each in found[:limit]]
        page = IndexJobList(told, has_more=len(found) > limit)
        await exchange.answer(200, msgspec.json.encode(page))

    async def retrieve(self, exchange: Exchange) -> None:
        """How far one is; with `stream=true` again whenever it is further, until its end."""
        caller = await self._index.owner(exchange)
        query = known_query(exchange, {"stream"})
        job_id = _job_id(exchange)
        found = await self._index.patience.wait(self._jobs.find(caller.tenant.id, job_id))
        if _is_streamed(query):
            wake = asyncio.Event()
            with exchange.watching(wake):
                await exchange.answer_stream(self._followed(exchange, caller, found, wake))
            return
        await exchange.answer(200, msgspec.json.encode(await self._told(caller, found)))

    async def skipped(self, exchange: Exchange) -> None:
        """What its scan left out."""
        caller = await self._index.owner(exchange)
        query = known_query(exchange, {"limit", "after"})
        limit = page_limit(query, usual=_USUAL_PAGE, largest=_MOST_SKIPPED)
        after = query.get("after")
        behind = -1
        if after is not None:
            behind = whole_number(after, "after", least=0, most=_LARGEST_ORDINAL)
        wait, job_id = self._index.patience.wait, _job_id(exchange)
        await wait(self._jobs.find(caller.tenant.id, job_id))
        found = await wait(
            self._skipped.list(caller.tenant.id, job_id, after=behind, limit=limit + 1)
        )
        page = SkippedFileList([*found[:limit]], has_more=len(found) > limit)
        await exchange.answer(200, msgspec.json.encode(page))

    async def cancel(self, exchange: Exchange) -> None:
        """Begin nothing more for it. What was indexed stays found."""
        caller = await self._index.owner(exchange)
        cancelling = self._jobs.cancel(caller.tenant.id, _job_id(exchange))
        found = await self._index.patience.wait(cancelling)
        await exchange.answer(200, msgspec.json.encode(await self._told(caller, found)))

    async def _followed(
        self, exchange: Exchange, caller: Caller, job: IndexJob, wake: asyncio.Event
    ) -> AsyncIterator[bytes]:
        """Looks at the ledger once a second for as long as somebody listens."""
        last, silent = None, 0
        while exchange.is_wanted() and not self._index.door.replies.stopped:
            told = await self._told(caller, job)
            silent = silent + 1 if told == last else 0
            if not silent:
                yield _lines(told)
            elif silent % _SILENT_LOOKS == 0:
                yield KEEP_ALIVE
            if job.state not in UNFINISHED:
                return
            last = told
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), _LOOK_SECONDS)
            job = await self._index.patience.wait(self._jobs.find(caller.tenant.id, job.id))

    async def _told(self, caller: Caller, job: IndexJob) -> IndexJobObject:
        counting = self._jobs.progress(caller.tenant.id, [job.id])
        progress = await self._index.patience.wait(counting)
        return job_object(job, progress[job.id])


def _job_id(exchange: Exchange) -> str:
    return storable_id(exchange.parameters["job_id"])


def _is_streamed(query: dict[str, str]) -> bool:
    asked = query.get("stream", "false")
    if asked not in _TRUTHS:
        raise InvalidRequest("'stream' must be true or false.", param="stream")
    return _TRUTHS[asked]


def _lines(told: IndexJobObject) -> bytes:
    kind = b"index.job.progress" if told.state in UNFINISHED else b"index.job.ended"
    return b"event: %b\ndata: %b\n\n" % (kind, msgspec.json.encode(told))
