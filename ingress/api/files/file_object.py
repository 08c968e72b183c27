"""Files as OpenAI's contract has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from shared.files.stored_file import FilePurpose, StoredFile


class FileObject(msgspec.Struct, frozen=True, omit_defaults=False):
    """A file, without its content."""

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: FilePurpose
    object: Literal["file"] = "file"
    status: Literal["processed"] = "processed"
    expires_at: int | msgspec.UnsetType = msgspec.UNSET


class FileList(msgspec.Struct, frozen=True):
    """A page of files."""

    data: list[FileObject]
    first_id: str
    last_id: str
    has_more: bool
    object: Literal["list"] = "list"


class DeletedFile(msgspec.Struct, frozen=True):
    """The answer to DELETE."""

    id: str
    object: Literal["file"] = "file"
    deleted: bool = True


class FileExpiry(msgspec.Struct, frozen=True):
    """When a file ends by itself. In a form its two fields are `expires_after[…]`."""

    anchor: Literal["created_at"]
    seconds: Annotated[int, msgspec.Meta(ge=3_600, le=2_592_000)]


class CreateFile(msgspec.Struct, frozen=True):
    """The form, for its description: it is read as it comes."""

    file: Annotated[str, msgspec.Meta(extra_json_schema={"format": "binary"})]
    purpose: FilePurpose
    expires_after: FileExpiry | None = None


def file_object(file: StoredFile) -> FileObject:
    """The file as its tenant sees it."""
    expires_at = file.expires_at
    return FileObject(
        id=file.id,
        bytes=file.bytes,
        created_at=int(file.created_at.timestamp()),
        filename=file.filename,
        purpose=file.purpose,
        expires_at=msgspec.UNSET if expires_at is None else int(expires_at.timestamp()),
    )


def file_list(files: Sequence[StoredFile], *, has_more: bool) -> FileList:
    """A page; its ids are empty where there are no files."""
    return FileList(
        data=[file_object(file) for file in files],
        first_id=files[0].id if files else "",
        last_id=files[-1].id if files else "",
        has_more=has_more,
    )
