"""What the statements of documents share: rows and their keys, the fence, labels."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row, bindparam, case, select, update

from shared.index.document import Attributes, Document
from shared.index.states import DocumentState
from shared.index.tables import document

WAITING: Final = (DocumentState.PENDING, DocumentState.IN_PROGRESS)
INDEXED: Final = (*WAITING, DocumentState.COMPLETED)
"""In a store, or about to be."""

_MAY_BE_HELD: Final = (*WAITING, DocumentState.REMOVING, DocumentState.CANCELLED)


def new_row(said: dict[str, Any], *, due_at: datetime) -> dict[str, Any]:
    """The row of a document that was not there before."""
    return said | {
        "state": DocumentState.PENDING,
        "ver": 1,
        "passages": 0,
        "usage_bytes": 0,
        "created_at": due_at,
        "relabel": False,
        "attempt": 0,
        "excused": 0,
        "due_at": due_at,
    }


PENDING_AGAIN: Final[dict[str, Any]] = {
    "state": DocumentState.PENDING,
    "ver": document.c.ver + 1,
    "excused": document.c.attempt,
    "error_code": None,
    "reason": None,
}
"""What becomes of a document that is to be indexed anew: its attempts are counted from here."""


IS: Final = (
    document.c.collection_id == bindparam("b_collection"),
    document.c.id == bindparam("b_id"),
)
"""That it is the one of this key."""


LOCKED: Final = select(document).where(*IS).with_for_update()


# What is held waits for the end of that lease; all else is due now.
REMOVE: Final = (
    update(document)
    .where(
        document.c.collection_id.concat("") == bindparam("b_collection"),
        document.c.state != DocumentState.REMOVING,
    )
    .values(
        state=DocumentState.REMOVING,
        ver=document.c.ver + 1,
        digest=None,
        generation=None,
        passages=0,
        usage_bytes=0,
        due_at=case(
            (document.c.claimed_by.is_not(None), document.c.due_at),
            else_=bindparam("b_now", type_=document.c.due_at.type),
        ),
    )
)
"""Of those that are named besides: gone for every search."""


IN_COLLECTION: Final = document.c.collection_id.concat("") == bindparam("b_collection")
"""Of a list of ids: they are looked up by the index of ids alone. Spelt plainly, a planner without
statistics reads the whole collection for some of its documents."""


def key(one: Document) -> dict[str, Any]:
    """The parameters of `IS`."""
    return {"b_collection": one.collection_id, "b_id": one.id}


def due_again(row: Any, now: datetime, *, target: str | None = None) -> datetime:
    """When one that is offered anew may be claimed.

    It keeps its turn where it has one; that of somebody's lease ends with the lease. What waits
    with all of its collection for the generation `target` is among the newest again: its change
    is to be found in the one that is searched.
    """
    if _waits_to_be_built(row, target):
        return now
    keeps = row.state in _MAY_BE_HELD and row.due_at is not None
    return row.due_at if keeps else now


def _waits_to_be_built(row: Any, target: str | None) -> bool:
    if target is None or row.state is not DocumentState.PENDING or row.claimed_by is not None:
        return False
    return row.generation not in (None, target)


def document_of(row: Row[Any]) -> Document:
    """The document of a row that has all columns of the table."""
    fields = dict(row._mapping)
    fields["principals"] = _principals.decode(fields["principals"] or "[]")
    fields["attributes"] = _attributes.decode(fields["attributes"] or "{}")
    fields["chunking"] = _chunking.decode(fields["chunking"] or "null")
    return Document(**fields)


def labels(principals: tuple[str, ...], attributes: Attributes) -> dict[str, str | None]:
    """The columns of a document's labels."""
    return {"principals": encoded(principals), "attributes": encoded(attributes)}


def encoded(value: object) -> str | None:
    """As a JSON column keeps it: nothing is NULL."""
    return msgspec.json.encode(value).decode() if value else None


_principals: Final = msgspec.json.Decoder(tuple[str, ...])
_attributes: Final = msgspec.json.Decoder(Attributes)
_chunking: Final = msgspec.json.Decoder(dict[str, Any] | None)
