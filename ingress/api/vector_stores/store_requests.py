"""What is asked of vector stores, in OpenAI's words."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from ingress.api.index.reading import Description
from ingress.api.vector_stores.store_object import ExpiresAfter
from shared.errors import InvalidRequest
from shared.messages.body import Metadata
from shared.messages.requests.post_documents import Attributes, Name

MOST_NEW_FILES: Final = 500
MOST_BATCHED: Final = 2_000

FileId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class AutoChunking(
    msgspec.Struct, frozen=True, tag_field="type", tag="auto", forbid_unknown_fields=True
):
    """Cut where its syntax, its headings or its sentences end."""


class StaticSizes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How large a piece may be, and how much of it stands in the next one as well."""

    max_chunk_size_tokens: Annotated[int, msgspec.Meta(ge=100, le=4096)]
    chunk_overlap_tokens: Annotated[int, msgspec.Meta(ge=0)]


class StaticChunking(
    msgspec.Struct, frozen=True, tag_field="type", tag="static", forbid_unknown_fields=True
):
    """Pieces of a size that the caller sets."""

    static: StaticSizes


Chunking = AutoChunking | StaticChunking


class CreateVectorStore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vector store, and the files to begin with."""

    name: Name | None = None
    description: Description | None = None
    file_ids: Annotated[list[FileId], msgspec.Meta(max_length=MOST_NEW_FILES)] | None = None
    expires_after: ExpiresAfter | None = None
    chunking_strategy: Chunking | None = None
    metadata: Metadata | None = None


class UpdateVectorStore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes of it; what is left out stays."""

    name: Name | msgspec.UnsetType | None = msgspec.UNSET
    expires_after: ExpiresAfter | msgspec.UnsetType | None = msgspec.UNSET
    metadata: Metadata | msgspec.UnsetType | None = msgspec.UNSET


class AddFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to put into it."""

    file_id: FileId
    attributes: Attributes | None = None
    chunking_strategy: Chunking | None = None


class AddFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Files to put into it together: `file_ids`, which share what is said of them, or `files`."""

    file_ids: (
        Annotated[list[FileId], msgspec.Meta(min_length=1, max_length=MOST_BATCHED)] | None
    ) = None
    files: Annotated[list[AddFile], msgspec.Meta(min_length=1, max_length=MOST_BATCHED)] | None = (
        None
    )
    attributes: Attributes | None = None
    chunking_strategy: Chunking | None = None


class UpdateFileAttributes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What its owner says of a file, in place of what was said."""

    attributes: Attributes | None


def sizes_of(chunking: Chunking | None, place: str) -> dict[str, int] | None:
    """As a document keeps them, None where we choose; raises InvalidRequest for what cannot be."""
    if not isinstance(chunking, StaticChunking):
        return None
    sizes = chunking.static
    if sizes.chunk_overlap_tokens > sizes.max_chunk_size_tokens // 2:
        param = f"{place}chunking_strategy.static.chunk_overlap_tokens"
        raise InvalidRequest(
            f"'{param}' must be at most half of 'max_chunk_size_tokens'.", param=param
        )
    told: dict[str, int] = msgspec.to_builtins(sizes)
    return told
