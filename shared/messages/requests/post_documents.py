"""Documents as they are posted: the body of POST /v1/documents, and of a message on `index`."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from shared.messages.tenant import Principals

MOST_POSTED: Final = 1_000
_LONGEST_PATH: Final = 1_024

_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Text = Annotated[str, msgspec.Meta(max_length=512)]
Attributes = Annotated[dict[_Key, _Text | float | bool], msgspec.Meta(max_length=16)]
Name = Annotated[str, msgspec.Meta(max_length=256)]
Place = Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_PATH)]


class PostedDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One document: `path` or `id` names it, and the same again is the same document.

    It is read as the ending of its path says, or as `content_type` does.
    """

    path: Place | None = None
    id: Place | None = None
    text: str | None = None
    base64: str | None = None
    content_type: str | None = None
    title: Name | None = None
    attributes: Attributes | None = None
    principals: Principals | None = None
    """Who may find it; without any, everybody of the tenant."""


class PostDocuments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Documents for one collection, all of them or none."""

    collection: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    """Its name or its id."""
    documents: Annotated[list[PostedDocument], msgspec.Meta(min_length=1, max_length=MOST_POSTED)]
