"""A job, as its row has it, and how far its documents are."""

from __future__ import annotations

from datetime import datetime

import msgspec

from shared.index.states import JobState


class IndexJob(msgspec.Struct, frozen=True, kw_only=True):
    """A scan of a source, and the indexing of what it found. The numbers are files.

    `held_back` of them are missing and stay until the next scan misses the same; `embedded` and
    `reused` are chunks.
    """

    id: str
    tenant_id: str
    collection_id: str
    source: str
    state: JobState
    created_at: datetime
    remove_anyway: bool = False
    error: str | None = None
    started_at: datetime | None = None
    scanned_at: datetime | None = None
    finished_at: datetime | None = None
    cancelled_at: datetime | None = None
    commit_id: str | None = None
    branch: str | None = None
    found: int = 0
    changed: int = 0
    skipped: int = 0
    removed: int = 0
    held_back: int = 0
    embedded: int = 0
    reused: int = 0
    attempt: int = 0
    claimed_by: str | None = None
    due_at: datetime | None = None


class ScanOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan listed, and what it did about what was missing.

    `missing_digest` tells the next scan what was held back by this one.
    """

    found: int
    changed: int
    skipped: int = 0
    removed: int = 0
    held_back: int = 0
    missing_digest: str | None = None
    commit_id: str | None = None
    branch: str | None = None


class SourceState(msgspec.Struct, frozen=True, kw_only=True):
    """Up to what a source of a collection is indexed: by the last scan that was indexed whole.

    `missing_digest` is of what the last scan held back.
    """

    source: str
    commit_id: str | None = None
    branch: str | None = None
    indexed_through: datetime | None = None
    listed: int | None = None
    missing_digest: str | None = None


class JobProgress(msgspec.Struct, frozen=True):
    """How many documents of a job are in which state."""

    waiting: int = 0
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
