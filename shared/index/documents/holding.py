"""What the holder of a document may write to its row: each statement has the fence in it."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import bindparam, update

from shared.index.document import Document
from shared.index.documents.rows import IS, key
from shared.index.states import DocumentState
from shared.index.tables import document

HELD: Final = (
    *IS,
    document.c.ver == bindparam("b_ver"),
    document.c.attempt == bindparam("b_attempt"),
    document.c.state == DocumentState.IN_PROGRESS,
)
"""The fence: that it is held by whom it was given to, and was not offered anew since."""


def fence(one: Document) -> dict[str, Any]:
    """The parameters of `HELD`."""
    return key(one) | {"b_ver": one.ver, "b_attempt": one.attempt}


BEGIN: Final = update(document).where(*HELD).values(digest=None)
_OVER: Final[dict[str, Any]] = {
    "relabel": False,
    "claimed_by": None,
    "due_at": None,
    "indexed_at": bindparam("b_now"),
}
FINISH: Final = (
    update(document)
    .where(*HELD)
    .values(
        _OVER
        | {
            "state": DocumentState.COMPLETED,
            "error_code": None,
            "reason": None,
            "digest": bindparam("b_digest"),
            "size_bytes": bindparam("b_size"),
            "modified_ns": bindparam("b_modified"),
            "language": bindparam("b_language"),
            "generation": bindparam("b_generation"),
        }
    )
)
FINISH_ANEW: Final = FINISH.values(
    passages=bindparam("b_passages"), usage_bytes=bindparam("b_usage")
)
END: Final = (
    update(document)
    .where(*HELD)
    .values(
        _OVER
        | {
            "state": bindparam("b_state"),
            "error_code": bindparam("b_code"),
            "reason": bindparam("b_reason"),
            "digest": None,
            "generation": None,
            "passages": 0,
            "usage_bytes": 0,
        }
    )
)
