"""The states of what the index's ledger keeps."""

from __future__ import annotations

from enum import StrEnum


class DocumentState(StrEnum):
    """pending ──► in_progress ──► completed | failed | skipped | cancelled; any ──► removing

    A document that is offered anew goes back to `pending`. `removing` is the last: nobody finds
    it any more, and its row goes with the last of its chunks.
    """

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    REMOVING = "removing"


class ChunkState(StrEnum):
    """planned ──► current ──► retired; what was planned and never written is retired as well."""

    PLANNED = "planned"
    CURRENT = "current"
    RETIRED = "retired"


class JobState(StrEnum):
    """queued ──► scanning ──► indexing ──► completed; any of the three ──► failed | cancelled"""

    QUEUED = "queued"
    SCANNING = "scanning"
    INDEXING = "indexing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SymbolRole(StrEnum):
    """What a line of code does with a name."""

    DEFINITION = "definition"
    CALL = "call"
    IMPORT = "import"
