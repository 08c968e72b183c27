"""`python -m indexer.reading`: reads and cuts documents that are named on stdin, until it ends.

A message is its length in four bytes and MessagePack, one answer for each in their order.
"""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress
from struct import Struct
from typing import Final

import msgspec

from indexer.reading.work import (
    DocumentReading,
    DocumentToRead,
    UncutDocument,
    read_document,
)
from shared.niceness import give_way

LENGTH: Final = Struct(">I")
MEMORY_BYTES: Final = 2 * 1024**3
"""Ten megabytes of code as a syntax tree have a tenth of it."""
_NICENESS: Final = 10


def main() -> int:
    """Answers until stdin is closed, which the end of its starter does."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    give_way(_NICENESS)
    asked = msgspec.msgpack.Decoder(DocumentToRead)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints is no answer
    while head := sys.stdin.buffer.read(LENGTH.size):
        (length,) = LENGTH.unpack(head)
        answer = msgspec.msgpack.encode(_read(asked.decode(sys.stdin.buffer.read(length))))
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()
    return 0


def _read(wanted: DocumentToRead) -> DocumentReading:
    try:
        return read_document(wanted)
    except MemoryError:
        return UncutDocument("It takes more memory than a document may.")
    except Exception as error:  # noqa: BLE001 - the process's edge: every fault is its answer
        what = " ".join(f"{type(error).__name__}: {error}".split())
        return UncutDocument(f"It cannot be cut: {what[:300]}.")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):
        sys.exit(main())
