"""Copies a shard's folder as it is, holes and all: nine tenths of a small one are holes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.search.embedded.places import sync_folder

_PIECE: Final = 2**20


def copy_folder(source: Path, target: Path) -> None:
    """`source` must not change meanwhile; reading and querying it does not change it."""
    target.mkdir()
    for each in sorted(source.iterdir()):
        if each.is_dir():
            copy_folder(each, target / each.name)
        else:
            _copy_file(each, target / each.name)


def allocated(folder: Path) -> int:
    """How many bytes it takes on the disk."""
    return sum(each.stat().st_blocks * 512 for each in folder.rglob("*"))


def sync_all(folder: Path) -> None:
    """Returns when all of it would outlive a power cut."""
    for each in folder.rglob("*"):
        if each.is_file():
            with each.open("rb") as file:
                os.fsync(file.fileno())
        else:
            sync_folder(each)
    sync_folder(folder)
    sync_folder(folder.parent)


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as written:
        size = os.fstat(read.fileno()).st_size
        written.truncate(size)
        for begin, end in _filled(read.fileno(), size):
            _copy_range(read.fileno(), written.fileno(), begin, end)


def _filled(file: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts between the holes; a file system that knows none has one part."""
    end = 0
    while end < size:
        try:
            begin = os.lseek(file, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        end = os.lseek(file, begin, os.SEEK_HOLE)
        yield begin, end


def _copy_range(read: int, written: int, begin: int, end: int) -> None:
    while begin < end:
        piece = os.pread(read, min(_PIECE, end - begin), begin)
        begin += os.pwrite(written, piece, begin)
