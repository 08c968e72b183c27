"""Reads one found file whole, as it was at one moment."""

from __future__ import annotations

import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE
from pathlib import Path
from typing import Final

from indexer.sources.decoding import decode_text
from indexer.sources.found import FoundFile, ReadFile, SkippedFile, SkipReason
from indexer.sources.looking import open_regular
from indexer.sources.secret_files import line_of_secret

_HEAD_BYTES: Final = 8192
PDF_MARK: Final = b"%PDF-"


def read_file(root: Path, found: FoundFile, *, limit_bytes: int) -> ReadFile | SkippedFile:
    """Its content, or why it is left out; a file that is gone by now is CHANGING.

    What is replaced by a link or a pipe after the scan is not opened, and what is written to
    while it is read is left to the next scan.
    """
    try:
        content, modified_ns = _read(root / found.path, limit_bytes)
    except FileNotFoundError:
        return SkippedFile(found.path, SkipReason.CHANGING, "It vanished while it was indexed.")
    except _Unsteady as unsteady:
        return SkippedFile(found.path, SkipReason.CHANGING, str(unsteady))
    except OSError as error:
        why = f"It cannot be read: {error.strerror}."
        return SkippedFile(found.path, SkipReason.UNREADABLE, why)
    return read_content(found.path, content, modified_ns)


def read_content(path: str, content: bytes, modified_ns: int = 0) -> ReadFile | SkippedFile:
    """The same of content that is here: decoded, or why it is left out."""
    if content.startswith(PDF_MARK):
        return ReadFile(path, content, modified_ns, decoded=None)
    if _is_binary(content):
        return SkippedFile(path, SkipReason.BINARY, "It holds no text.")
    decoded = decode_text(content)
    if line := line_of_secret(decoded.text):
        why = f"A key, a token or a private key stands on line {line}: take it out and revoke it."
        return SkippedFile(path, SkipReason.SECRET, why)
    return ReadFile(path, content, modified_ns, decoded)


class _Unsteady(Exception):
    """It is not now what it was a moment ago."""


def _read(file: Path, limit_bytes: int) -> tuple[bytes, int]:
    opened = open_regular(file)
    if opened is None:
        raise _Unsteady("It is no file any more.")
    with opened:
        before = os.fstat(opened.fileno())
        content = opened.read(limit_bytes + 1)
        after = os.fstat(opened.fileno())
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    if not same or len(content) != after.st_size or len(content) > limit_bytes:
        raise _Unsteady("It was written to while it was read: the next scan takes it.")
    return content, after.st_mtime_ns


def _is_binary(content: bytes) -> bool:
    """As git decides, but for UTF-16 and UTF-32, which say what they are and are full of NULs."""
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE, BOM_UTF32_BE)):
        return False
    return b"\0" in content[:_HEAD_BYTES]
