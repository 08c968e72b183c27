"""The questions of one namespace, and which of them are nearest to a new one.

A scan of all: one bit a dimension leaves 64, whose bytes are then compared. At 100,000 questions
that takes half a millisecond and no time to build; a graph (HNSW) searches as fast and takes half
a minute of CPU in every process to build, for entries that live for hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from workers.caching.semantic.entry import Change, SemanticEntry

if TYPE_CHECKING:
    import numpy
    import numpy.typing

    Bits = numpy.typing.NDArray[numpy.uint64]
    Bytes = numpy.typing.NDArray[numpy.int8]
    Floats = numpy.typing.NDArray[numpy.float32]

_SHORT_LIST: Final = 64
_ROWS_A_PASS: Final = 32_768
"""What stays in the core's cache between the steps of a pass."""
_SMALLEST: Final = 256
_BYTES_A_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A stored question and its cosine to the one that was asked."""

    entry: SemanticEntry
    similarity: float


@dataclass(slots=True)
class Rows:
    """Arrays that are only ever written past `filled`, so a scan may go on beside an append."""

    bits: Bits
    """(64-bit words, rows): a plane for each word, so that a pass reads straight on."""
    vectors: Bytes
    entries: list[SemanticEntry | None]
    """None where an entry was removed."""

    def search(self, vector: Floats, filled: int, *, count: int, now: float) -> list[Neighbour]:
        """The nearest of the first `filled` rows, most similar first; needs no event loop."""
        import numpy

        rows = self._short_list(numpy.packbits(vector > 0).view(numpy.uint64), filled)
        stored = self.vectors[rows].astype(numpy.float32)
        cosines = stored @ vector / numpy.linalg.norm(stored, axis=1)
        best = numpy.argsort(-cosines)
        found = ((self.entries[int(rows[place])], float(cosines[place])) for place in best)
        alive = (
            Neighbour(entry, cosine)
            for entry, cosine in found
            if entry is not None and entry.expires_at > now
        )
        return list(islice(alive, count))

    def _short_list(self, wanted: Bits, filled: int) -> numpy.typing.NDArray[numpy.intp]:
        import numpy

        if filled <= _SHORT_LIST:
            return numpy.arange(filled)
        distances = numpy.empty(filled, numpy.uint16)
        differing = numpy.empty(_ROWS_A_PASS, numpy.uint64)
        counted = numpy.empty(_ROWS_A_PASS, numpy.uint8)
        for start in range(0, filled, _ROWS_A_PASS):
            stop = min(start + _ROWS_A_PASS, filled)
            length = stop - start
            total = distances[start:stop]
            total[:] = 0
            for plane, word in zip(self.bits, wanted, strict=True):
                numpy.bitwise_xor(plane[start:stop], word, out=differing[:length])
                numpy.bitwise_count(differing[:length], out=counted[:length])
                total += counted[:length]
        # Twenty times as fast as argpartition, which moves the places as well.
        last = numpy.partition(distances, _SHORT_LIST)[_SHORT_LIST]
        nearer = numpy.flatnonzero(distances < last)
        as_near = numpy.flatnonzero(distances == last)
        return numpy.concatenate((nearer, as_near[: _SHORT_LIST - len(nearer)]))


class NearestQuestions:
    """Grows as changes come and keeps at most `max_entries`; belongs to one event loop."""

    def __init__(self, *, dimensions: int, max_entries: int) -> None:
        self._dimensions = dimensions
        self._max_entries = max_entries
        self._rows = self._new_rows(_SMALLEST)
        self._filled = 0
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    @property
    def size_bytes(self) -> int:
        """What it holds, about."""
        return self._rows.bits.nbytes + self._rows.vectors.nbytes + _BYTES_A_TEXT * self._filled

    def apply(self, changes: Iterable[Change], *, now: float) -> None:
        """Take in what the log brought; what has expired by now is left out."""
        added: dict[str, SemanticEntry] = {}
        for change in changes:
            self._forget(change.id)
            added.pop(change.id, None)
            if isinstance(change, SemanticEntry) and self._is_usable(change, now):
                added[change.id] = change
        waiting = list(added.values())[-self._max_entries :]
        while waiting:
            if self._filled == len(self._rows.vectors):
                self._make_room(now)
            room = len(self._rows.vectors) - self._filled
            self._append(waiting[:room])
            waiting = waiting[room:]

    def snapshot(self) -> tuple[Rows, int]:
        """What a scan reads, safe against everything that happens to this object meanwhile."""
        return self._rows, self._filled

    def _forget(self, entry_id: str) -> None:
        place = self._places.pop(entry_id, None)
        if place is not None:
            self._rows.entries[place] = None

    def _is_usable(self, entry: SemanticEntry, now: float) -> bool:
        return entry.expires_at > now and len(entry.vector) == self._dimensions

    def _append(self, entries: Sequence[SemanticEntry]) -> None:
        import numpy

        start, stop = self._filled, self._filled + len(entries)
        together = numpy.frombuffer(b"".join(entry.vector for entry in entries), numpy.int8)
        vectors = together.reshape(len(entries), self._dimensions)
        self._rows.vectors[start:stop] = vectors
        self._rows.bits[:, start:stop] = numpy.packbits(vectors > 0, axis=1).view(numpy.uint64).T
        for place, entry in enumerate(entries, start):
            # The array has the vector; a second copy would double the memory.
            self._rows.entries.append(SemanticEntry(entry.id, entry.text, entry.expires_at, b""))
            self._places[entry.id] = place
        self._filled = stop

    def _make_room(self, now: float) -> None:
        """Copy what is alive into new arrays; a scan that runs keeps the old ones."""
        alive = [
            place
            for place, entry in enumerate(self._rows.entries)
            if entry is not None and entry.expires_at > now
        ]
        keep = self._max_entries - max(1, self._max_entries // 16)
        alive = alive[max(0, len(alive) - keep) :]
        old, self._rows = self._rows, self._new_rows(max(_SMALLEST, 2 * len(alive)))
        self._filled = len(alive)
        self._rows.vectors[: self._filled] = old.vectors[alive]
        self._rows.bits[:, : self._filled] = old.bits[:, alive]
        self._rows.entries.extend(old.entries[place] for place in alive)
        self._places = {
            entry.id: place for place, entry in enumerate(self._rows.entries) if entry is not None
        }

    def _new_rows(self, capacity: int) -> Rows:
        import numpy

        capacity = min(capacity, self._max_entries)
        return Rows(
            bits=numpy.zeros((self._dimensions // 64, capacity), numpy.uint64),
            vectors=numpy.zeros((capacity, self._dimensions), numpy.int8),
            entries=[],
        )
