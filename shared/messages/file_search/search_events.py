"""The events of a search, in OpenAI's words."""

from __future__ import annotations

import msgspec

from shared.messages.file_search.found_text import FileCitation


class _SearchEvent(msgspec.Struct, frozen=True, tag_field="type"):
    """One event. Encoded, it names its type first."""


class FileSearchInProgress(_SearchEvent, frozen=True, tag="response.file_search_call.in_progress"):
    item_id: str
    output_index: int = 0


class FileSearchSearching(_SearchEvent, frozen=True, tag="response.file_search_call.searching"):
    item_id: str
    output_index: int = 0


class FileSearchCompleted(_SearchEvent, frozen=True, tag="response.file_search_call.completed"):
    item_id: str
    output_index: int = 0


class AnnotationAdded(_SearchEvent, frozen=True, tag="response.output_text.annotation.added"):
    item_id: str
    annotation: FileCitation
    annotation_index: int
    output_index: int = 0
    content_index: int = 0


SearchEvent = FileSearchInProgress | FileSearchSearching | FileSearchCompleted | AnnotationAdded
