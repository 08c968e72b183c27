"""Documents as they are posted, over HTTP or a queue, on their way into the ledger."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Final

from shared.errors import InvalidRequest, NotFound, TooLarge, use_one_of
from shared.index.collections.collection import Collection
from shared.index.document import NewDocument
from shared.messages.requests.post_documents import PostDocuments, PostedDocument
from shared.persistence.key_records import check_principals
from shared.storable_text import is_storable

_LONGEST_ID: Final = 256
_ENDINGS: Final = {
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/html": ".html",
    "text/x-rst": ".rst",
    "application/pdf": ".pdf",
    "application/x-ipynb+json": ".ipynb",
    "application/json": ".json",
}


def new_documents(asked: PostDocuments, *, limit_bytes: int) -> list[NewDocument]:
    """The documents; raises InvalidRequest and TooLarge by the field at fault."""
    documents = [
        _new_document(each, f"documents[{nth}]", limit_bytes=limit_bytes)
        for nth, each in enumerate(asked.documents)
    ]
    _check_once(documents)
    return documents


def check_life(collection: Collection, now: datetime, param: str) -> None:
    """Raises InvalidRequest for a collection that has expired."""
    if collection.expires_at is not None and collection.expires_at <= now:
        raise InvalidRequest(
            f"'{collection.id}' has expired. Make a new one.",
            param=param,
            kind="vector_store_expired",
        )


def storable_id(name: str) -> str:
    """A name that a database may be asked for; what cannot be one is nobody's."""
    return name if len(name) <= _LONGEST_ID and is_storable(name) else "\ufffd"


def unknown_name(name_or_id: str, param: str) -> NotFound:
    """The error for a collection that is not there for who names it."""
    return NotFound(
        f"'{param}' names '{name_or_id[:64]}', and there is no such collection. Make it "
        "with POST /v1/collections.",
        param=param,
    )


def _new_document(posted: PostedDocument, place: str, *, limit_bytes: int) -> NewDocument:
    path = _path(posted, place)
    body = _body(posted, place)
    if len(body) > limit_bytes:
        raise TooLarge(
            f"'{place}' is larger than {limit_bytes} bytes ('index.document_limit_bytes'). Split "
            "it.",
            param=place,
            kind="document_too_large",
        )
    check_principals(posted.principals or (), f"{place}.principals")
    return NewDocument(
        path=path,
        digest=sha256(body).hexdigest(),
        size_bytes=len(body),
        body=body,
        title=posted.title,
        principals=tuple(dict.fromkeys(posted.principals or ())),
        attributes=posted.attributes or {},
    )


def _path(posted: PostedDocument, place: str) -> str:
    name, other = posted.path, posted.id
    if (name is None) == (other is None):
        raise InvalidRequest(f"Name '{place}' by 'path' or by 'id'.", param=f"{place}.path")
    path = name or other or ""
    if not path.isprintable():
        field = f"{place}.{'path' if name else 'id'}"
        raise InvalidRequest(f"'{field}' must be printable characters.", param=field)
    if posted.content_type is None:
        return path
    kind = posted.content_type.partition(";")[0].strip().lower()
    ending = _ENDINGS.get(kind)
    if ending is None:
        field = f"{place}.content_type"
        raise InvalidRequest(
            f"'{field}' is '{posted.content_type[:64]}'. {use_one_of(_ENDINGS)}; other documents "
            "are read as the ending of their path says.",
            param=field,
        )
    return path if PurePosixPath(path).suffix else path + ending


def _body(posted: PostedDocument, place: str) -> bytes:
    if (posted.text is None) == (posted.base64 is None):
        raise InvalidRequest(f"Give '{place}' either 'text' or 'base64'.", param=f"{place}.text")
    if posted.text is not None:
        return posted.text.encode()
    try:
        return b64decode(posted.base64 or "", validate=True)
    except (ValueError, binascii.Error):
        raise InvalidRequest(
            f"'{place}.base64' is no base64. Encode the document's bytes.", param=f"{place}.base64"
        ) from None


def _check_once(documents: Sequence[NewDocument]) -> None:
    places: dict[str, int] = {}
    for nth, each in enumerate(documents):
        first = places.setdefault(each.path, nth)
        if first != nth:
            param = f"documents[{nth}].path"
            raise InvalidRequest(
                f"'{param}' is that of 'documents[{first}]'. Send each document once.", param=param
            )
