"""What a scan finds: files to read, and what it leaves out with its reason."""

from __future__ import annotations

import hashlib
from enum import StrEnum

import msgspec

from indexer.sources.decoding import DecodedText


class SkipReason(StrEnum):
    """Why a file is not indexed."""

    BINARY = "binary"
    SECRET = "secret"  # noqa: S105 - a reason, not a password
    LINK = "link"
    OUTSIDE = "outside"
    REPOSITORY = "repository"
    TOO_LARGE = "too_large"
    SPECIAL = "special"
    UNREADABLE = "unreadable"
    CHANGING = "changing"


class FoundFile(msgspec.Struct, frozen=True):
    """A file to read, as the scan saw it."""

    path: str
    """From the root of its source, with `/`."""
    size_bytes: int
    modified_ns: int
    """Since 1970, as the file system says: with the size, whether it is worth reading again."""


class SkippedFile(msgspec.Struct, frozen=True):
    """A file or a folder that is left out."""

    path: str
    reason: SkipReason
    why: str
    """One sentence for people, with the fix where there is one."""


class ReadFile(msgspec.Struct, frozen=True):
    """A file's content, whole and from one moment."""

    path: str
    content: bytes
    modified_ns: int
    decoded: DecodedText | None
    """None of a PDF."""

    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def shown_path(path: bytes | str) -> str:
    """A path as text that can be stored and printed; bytes that are no UTF-8 as `\\xNN`."""
    return (path if isinstance(path, bytes) else path.encode(errors="surrogateescape")).decode(
        errors="backslashreplace"
    )
