"""The lines of a batch's input, read a chunk at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from shared.batches.batch import LONGEST_LINE_BYTES
from shared.errors import NotFound
from shared.files.content_store import CHUNK_BYTES, ContentStore

_BOM: Final = b"\xef\xbb\xbf"
_END: Final = b"\n"


class InputLine(NamedTuple):
    """One line that is not blank; `text` is None where it is longer than a line may be.

    `number` counts all lines from 1, blank ones too. The next one begins at the byte `end`.
    """

    number: int
    text: bytes | None
    end: int


class LinesOfInput:
    """Lines of a content of that size; of a long one there is never more in memory than it has."""

    def __init__(self, store: ContentStore, content_id: str, size: int) -> None:
        self._store = store
        self._content_id = content_id
        self._size = size

    async def behind(self, place: int = 0, number: int = 0) -> AsyncIterator[InputLine]:
        """Those from the byte `place` on, of which `number` lines are before it.

        Raises NotFound where the content is not there any more, Unavailable.
        """
        part = _Part()
        async for piece in self._pieces(place):
            start = 0
            while (at := piece.find(_END, start)) >= 0:
                part.add(piece[start:at])
                number, start = number + 1, at + 1
                text = part.taken(is_first=number == 1)
                if text is None or text.strip():
                    yield InputLine(number, text, place + start)
                part = _Part()
            part.add(piece[start:])
            place += len(piece)
        text = part.taken(is_first=number == 0)
        if text is None or text.strip():
            yield InputLine(number + 1, text, place)

    async def count(self) -> int:
        """How many there are, or were until the content went; raises Unavailable."""
        number = 0
        try:
            async for _ in self.behind():
                number += 1
        except NotFound:
            pass
        return number

    async def _pieces(self, place: int) -> AsyncIterator[bytes]:
        while place < self._size:
            ordinal, skipped = divmod(place, CHUNK_BYTES)
            piece = await self._store.read(self._content_id, ordinal)
            if not piece:
                raise NotFound("The input file was deleted while it was read.")
            yield piece[skipped:]
            place += len(piece) - skipped


class _Part:
    """A line as far as it was read."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def add(self, piece: bytes) -> None:
        self._length += len(piece)
        if self._length > LONGEST_LINE_BYTES:
            self._pieces.clear()
        else:
            self._pieces.append(piece)

    def taken(self, *, is_first: bool) -> bytes | None:
        if self._length > LONGEST_LINE_BYTES:
            return None
        text = b"".join(self._pieces)
        return text.removeprefix(_BOM) if is_first else text
