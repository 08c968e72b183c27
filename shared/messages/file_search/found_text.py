"""What a search found, and where an answer refers to it."""

from __future__ import annotations

from typing import Literal

import msgspec

Attribute = str | float | bool


class FoundText(msgspec.Struct, frozen=True):
    """A passage of a document as a search gave it, in OpenAI's words; a `score` is 0 to 1."""

    file_id: str = ""
    filename: str = ""
    score: float = 0.0
    text: str = ""
    attributes: dict[str, Attribute] | None = None


class FileCitation(msgspec.Struct, frozen=True, tag_field="type", tag="file_citation"):
    """An answer refers to a document before the character of its text that has this `index`."""

    index: int
    file_id: str
    filename: str


class Citations(msgspec.Struct, frozen=True, tag_field="type", tag="citations"):
    """Those of an answer's text, in order, as the ledger keeps them beside it."""

    places: tuple[FileCitation, ...]


SearchStatus = Literal["in_progress", "searching", "completed", "incomplete", "failed"]


class OutputSearch(msgspec.Struct, frozen=True, tag_field="type", tag="file_search_call"):
    """What was searched for before an answer; `results` only where the message asks to see them."""

    id: str
    queries: tuple[str, ...]
    status: SearchStatus = "completed"
    results: tuple[FoundText, ...] | None = None
