"""An index that is full: documents, chunks and jobs of every state, collections on every road."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Insert

from shared.index.states import ChunkState, DocumentState, JobState, SymbolRole
from shared.index.tables import (
    chunk,
    collection,
    collection_source,
    document,
    document_body,
    embedding,
    index_job,
    skipped_file,
    symbol,
)

FULL: Final = "vs_full"
"""The collection that has the documents of every state."""
NOW: Final = "g-now"
NAMED: Final = "n" * 50
"""What digests begin with that a chunk names."""
_Rows = Callable[..., Insert]


def index(rows: _Rows, number: float, now: datetime) -> list[Insert]:
    """So many rows of each kind; `rows` makes the statement."""
    return [
        *_collections(rows, number, now),
        *_documents(rows, number, now),
        *_chunks(rows, number),
        *_jobs(rows, number, now),
        *_derived(rows, number, now),
    ]


def _collections(rows: _Rows, number: float, now: datetime) -> list[Insert]:
    old, later = now - timedelta(days=30), now + timedelta(days=1)
    made: dict[str, Any] = {"tenant_id": "ten_1", "name": "n", "created_at": old}
    made |= {"last_active_at": old, "generation": NOW, "edition": 1}
    named = ("id", "name")
    return [
        rows(collection, 1, made | {"id": FULL[:-1], "name": "full"}, numbered=()),
        rows(collection, 1, made | {"id": FULL}, numbered=()),
        rows(collection, number, made | {"id": "vs_k"}, numbered=named),
        rows(collection, number, made | {"id": "vs_e", "expires_at": later}, numbered=named),
        rows(collection, number, made | {"id": "vs_x", "expires_at": old}, numbered=named),
        rows(collection, number, made | {"id": "vs_d", "deleted_at": old}, numbered=named),
        rows(
            collection, number, made | {"id": "vs_n", "next_generation": "g-next"}, numbered=named
        ),
        rows(
            collection,
            number,
            made | {"id": "vs_l", "leaving_generation": "g-old", "leaving_at": old},
            numbered=named,
        ),
        rows(
            collection_source,
            number,
            {"collection_id": FULL, "source": "folder:/s", "tenant_id": "ten_1"},
            numbered=("source",),
        ),
    ]


def _documents(rows: _Rows, number: float, now: datetime) -> list[Insert]:
    old, later = now - timedelta(days=1), now + timedelta(days=1)
    made: dict[str, Any] = {"collection_id": FULL, "tenant_id": "ten_1", "source": "folder:/s"}
    made |= {"path": "p", "ver": 1, "size_bytes": 1, "modified_ns": 1, "passages": 1}
    made |= {"usage_bytes": 1, "created_at": old, "seen_by": "job_1", "job_id": "job_old"}
    made |= {"relabel": False, "attempt": 1, "excused": 1}
    held = {"state": DocumentState.IN_PROGRESS, "claimed_by": "worker-1"}
    kinds: dict[str, dict[str, Any]] = {
        "doc_c": {"state": DocumentState.COMPLETED, "generation": NOW, "digest": "d"},
        "doc_f": {"state": DocumentState.FAILED, "job_id": "job_w"},
        "doc_p": {"state": DocumentState.PENDING, "due_at": old},
        "doc_o": {"state": DocumentState.PENDING, "due_at": later},
        "doc_h": held | {"due_at": later},
        "doc_x": held | {"due_at": old},
        "doc_r": {"state": DocumentState.REMOVING, "due_at": old},
        "doc_s": {"state": DocumentState.REMOVING, "due_at": later},
        "doc_b": {"state": DocumentState.PENDING, "due_at": later, "batch_id": "vsfb_1"},
        "file-c": {"state": DocumentState.COMPLETED, "source": "files", "file_id": "file-c"},
    }
    numbered = ("id", "path")
    bodies = {"collection_id": FULL, "document_id": "doc_c", "body": b"x"}
    of_deleted = made | {"collection_id": "vs_d1", "id": "doc_d", "generation": NOW}
    return [
        *(
            rows(
                document,
                number,
                made | values | {"id": kind},
                numbered=(*numbered, "file_id") if "file_id" in values else numbered,
            )
            for kind, values in kinds.items()
        ),
        rows(
            document,
            number,
            of_deleted | {"state": DocumentState.COMPLETED},
            numbered=numbered,
        ),
        rows(document_body, number, bodies, numbered=("document_id",)),
    ]


def _chunks(rows: _Rows, number: float) -> list[Insert]:
    made: dict[str, Any] = {"tenant_id": "ten_1", "collection_id": FULL, "generation": NOW}
    made |= {"ver": 1, "ordinal": 0, "path": "p", "first_line": 1, "last_line": 9}
    made |= {"text_digest": "t" * 50, "code_digest": "c" * 50}
    kinds = {
        "pt_c": {"state": ChunkState.CURRENT, "document_id": "doc_c", "text_digest": NAMED},
        "pt_p": {"state": ChunkState.PLANNED, "document_id": "doc_p"},
        "pt_g": {"state": ChunkState.RETIRED, "document_id": "doc_c"},
        "pt_r": {"state": ChunkState.CURRENT, "document_id": "doc_r"},
        "pt_l": {
            "state": ChunkState.CURRENT,
            "document_id": "doc_l",
            "collection_id": "vs_l1",
            "generation": "g-old",
            "text_digest": None,
        },
    }
    return [
        rows(
            chunk,
            number,
            made | values | {"point_id": kind},
            numbered=("point_id", "document_id", "text_digest", "code_digest"),
        )
        for kind, values in kinds.items()
    ]


def _jobs(rows: _Rows, number: float, now: datetime) -> list[Insert]:
    old, later = now - timedelta(days=60), now + timedelta(days=1)
    made: dict[str, Any] = {"tenant_id": "ten_1", "collection_id": FULL, "source": "folder:/j"}
    made |= {"created_at": old, "remove_anyway": False, "attempt": 0}
    made |= dict.fromkeys(("found", "changed", "skipped", "removed", "held_back"), 0)
    made |= dict.fromkeys(("embedded", "reused"), 0)
    kinds: dict[str, dict[str, Any]] = {
        "job_00": {"state": JobState.COMPLETED},
        "job_f": {"state": JobState.COMPLETED},
        "job_q": {"state": JobState.QUEUED, "due_at": old},
        "job_s": {"state": JobState.SCANNING, "due_at": later},
        "job_w": {"state": JobState.INDEXING, "due_at": old},
        "job_v": {"state": JobState.INDEXING, "due_at": later},
    }
    skipped = {"job_id": "job_q1", "tenant_id": "ten_1", "path": "p", "reason": "r", "why": "w"}
    return [
        *(
            rows(
                index_job,
                number,
                made | values | {"id": kind},
                numbered=("id", "source") if kind in {"job_q", "job_s"} else ("id",),
            )
            for kind, values in kinds.items()
        ),
        rows(skipped_file, number, skipped | {"ordinal": 0}, numbered=("ordinal",)),
    ]


def _derived(rows: _Rows, number: float, now: datetime) -> list[Insert]:
    vector = {"owner": "ten_1", "encoder": "mini", "digest": "d", "vector": b"x", "made_at": now}
    name: dict[str, Any] = {"collection_id": FULL, "tenant_id": "ten_1", "ordinal": 0}
    name |= {"role": SymbolRole.CALL, "name": "name", "folded": "name", "qualified": "name"}
    name |= {"kind": "call", "line": 1}
    crowded = name | {"folded": "run", "document_id": "doc_f"}
    due = vector | {"owner": "ten_2"}
    return [
        rows(embedding, number, vector, numbered=("digest",)),
        *(
            rows(
                embedding,
                count,
                due | {"digest": digest, "seen_at": now - timedelta(days=days), "is_unnamed": gone},
                numbered=("digest",),
            )
            for digest, count, days, gone in (
                (NAMED, 100, 33, False),
                ("u", 100, 32, False),
                ("g", number, 31, True),
            )
        ),
        rows(symbol, number, name | {"document_id": "doc_c"}, numbered=("document_id", "folded")),
        rows(symbol, number, crowded, numbered=("document_id",)),
    ]
