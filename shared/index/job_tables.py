"""The tables of jobs: a scan of a source, and what it left out."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from shared.index.states import JobState
from shared.persistence.columns import Enumerated, UtcDateTime
from shared.persistence.tables import metadata, partial_index

TO_SCAN = "state IN ('queued', 'scanning')"
INDEXING = "state = 'indexing'"

index_job = Table(
    "index_job",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("collection_id", String(64), nullable=False),
    Column("source", String(512), nullable=False),
    Column("state", Enumerated(JobState), nullable=False),
    Column("error", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("scanned_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("cancelled_at", UtcDateTime),
    Column("commit_id", String(64)),
    Column("branch", String(256)),
    Column("found", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    # Missing documents that are kept until a second scan misses them too.
    Column("held_back", Integer, nullable=False),
    Column("embedded", Integer, nullable=False),
    Column("reused", Integer, nullable=False),
    Column("remove_anyway", Boolean, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("claimed_by", String(128)),
    # From when on it may be claimed, or is looked at again; the lease of who scans ends then.
    Column("due_at", UtcDateTime),
    Index("ix_index_job_tenant_id_id", "tenant_id", "id"),
    Index("ix_index_job_collection_id_id", "collection_id", "id"),
    partial_index("ix_index_job_to_scan_tenant_id", "tenant_id", "due_at", where=TO_SCAN),
    partial_index("ix_index_job_of_source", "collection_id", "source", "id", where=TO_SCAN),
    partial_index("ix_index_job_indexing", "due_at", where=INDEXING),
)

# What a scan left out, with the reason.
skipped_file = Table(
    "skipped_file",
    metadata,
    Column("job_id", String(64), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("tenant_id", String(64), nullable=False),
    Column("path", Text, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("why", Text, nullable=False),
)
