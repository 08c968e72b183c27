"""What was written since a copy of a shard was made."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from shared.search.embedded.calls import WriteCall

_HEAD: Final = struct.Struct(">I")


class Journal:
    """Calls in the order in which the serving shard took them, for another process to repeat.

    It need not outlive its writer: a copy whose owner died is thrown away with it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.length = 0
        self._file = path.open("wb", buffering=0)

    def keep(self, call: WriteCall) -> None:
        content = msgspec.msgpack.encode(call)
        self._file.write(_HEAD.pack(len(content)) + content)
        self.length += _HEAD.size + len(content)

    def discard(self) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)


def calls_behind(path: Path, start: int) -> Iterator[tuple[WriteCall, int]]:
    """Each whole call from there on, with where the next one begins."""
    decoder = msgspec.msgpack.Decoder[WriteCall](WriteCall)
    with path.open("rb") as file:
        file.seek(start)
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            (length,) = _HEAD.unpack(head)
            content = file.read(length)
            if len(content) < length:
                return
            start += _HEAD.size + length
            yield decoder.decode(content), start
