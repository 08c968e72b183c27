"""What one path of a source is, and how it is opened: no link leads anywhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from indexer.sources.found import FoundFile, SkippedFile, SkipReason, shown_path
from indexer.sources.secret_files import is_secret_name


def look_at(root: Path, path: str, *, limit_bytes: int) -> FoundFile | SkippedFile | None:
    """What lies at `path` below `root`; None where nothing does any more.

    Links are not followed: what one leads to inside the root is found under its own path, and
    what lies outside it is not this source's to tell.
    """
    try:
        seen = os.lstat(root / path)
    except FileNotFoundError:
        return None
    except OSError as error:
        return _skipped(path, SkipReason.UNREADABLE, f"It cannot be read: {error.strerror}.")
    if stat.S_ISLNK(seen.st_mode):
        return _link(root, path)
    if stat.S_ISDIR(seen.st_mode):
        return _repository(root, path)
    if not stat.S_ISREG(seen.st_mode):
        return _skipped(path, SkipReason.SPECIAL, "A device, a socket or a pipe, not a file.")
    if shown_path(path) != path:
        return _skipped(path, SkipReason.UNREADABLE, "Its name is no UTF-8: rename it.")
    if is_secret_name(path):
        return _skipped(path, SkipReason.SECRET, "A file of this name holds keys or passwords.")
    if seen.st_size > limit_bytes:
        why = f"It has {seen.st_size:,} bytes, and {limit_bytes:,} are read at the most."
        return _skipped(path, SkipReason.TOO_LARGE, why)
    return FoundFile(path, seen.st_size, seen.st_mtime_ns)


def open_regular(file: Path) -> BinaryIO | None:
    """The file, to be read; None where it is a folder, a pipe or a device, which nobody waits for.

    Raises OSError, for a link too.
    """
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return open(descriptor, "rb")
    os.close(descriptor)
    return None


def _repository(root: Path, path: str) -> SkippedFile | None:
    """Git names a folder only where it holds a repository, or the place of a submodule."""
    is_there = (root / path / ".git").exists()
    if not is_there and any((root / path).iterdir()):
        return None  # the folder took the place of a tracked file, and its files are listed
    why = "its folder by itself" if is_there else "it by itself once it is checked out"
    return _skipped(path, SkipReason.REPOSITORY, f"A repository of its own: index {why}.")


def _link(root: Path, path: str) -> SkippedFile:
    try:
        target = (root / path).resolve(strict=True)
    except (OSError, RuntimeError):
        return _skipped(path, SkipReason.LINK, "A link that leads nowhere, or to itself.")
    if not target.is_relative_to(root.resolve()):
        return _skipped(path, SkipReason.OUTSIDE, "A link that leads out of the source.")
    return _skipped(path, SkipReason.LINK, "A link: what it leads to is found under its own path.")


def _skipped(path: str, reason: SkipReason, why: str) -> SkippedFile:
    return SkippedFile(shown_path(path), reason, why)
