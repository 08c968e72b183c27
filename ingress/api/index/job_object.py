"""Jobs of the index, as they are told."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from shared.index.jobs.job import IndexJob, JobProgress
from shared.index.jobs.skipped_files import SkippedPath
from shared.index.states import JobState


class IndexJobObject(msgspec.Struct, frozen=True, kw_only=True):
    """A scan of a source, and how far its documents are.

    `found` to `held_back` are files: what is held back is missing, and stays until the next scan
    misses it too. `embedded` and `reused` are passages.
    """

    id: str
    object: Literal["index.job"] = "index.job"
    collection_id: str
    source: str
    state: JobState
    error: str | None
    created_at: datetime
    started_at: datetime | None
    scanned_at: datetime | None
    finished_at: datetime | None
    cancelled_at: datetime | None
    commit_id: str | None
    branch: str | None
    found: int
    changed: int
    skipped: int
    removed: int
    held_back: int
    embedded: int
    reused: int
    documents: JobProgress


class IndexJobList(msgspec.Struct, frozen=True):
    """A page of jobs."""

    data: list[IndexJobObject]
    has_more: bool
    object: Literal["list"] = "list"


class SkippedFileList(msgspec.Struct, frozen=True):
    """What a scan left out, with the reason of each."""

    data: list[SkippedPath]
    has_more: bool
    object: Literal["list"] = "list"


def job_object(job: IndexJob, progress: JobProgress) -> IndexJobObject:
    """The job as its tenant sees it."""
    named = set(IndexJobObject.__struct_fields__) - {"object", "documents"}
    told = {name: value for name, value in msgspec.structs.asdict(job).items() if name in named}
    return IndexJobObject(**told, documents=progress)
