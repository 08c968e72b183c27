"""Documents as they are posted, on their way into the ledger."""

from __future__ import annotations

import binascii
from base64 import b64decode
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Final

from ingress.api.index.document_object import PostedDocument
from shared.errors import InvalidRequest, TooLarge, use_one_of
from shared.index.document import NewDocument
from shared.persistence.key_records import check_principals

_ENDINGS: Final = {
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/html": ".html",
    "text/x-rst": ".rst",
    "application/pdf": ".pdf",
    "application/x-ipynb+json": ".ipynb",
    "application/json": ".json",
}


def new_document(posted: PostedDocument, place: str, *, limit_bytes: int) -> NewDocument:
    """The document; raises InvalidRequest and TooLarge by the field at fault."""
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
