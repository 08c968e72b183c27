"""BM25 over all documents, one after the other, in numpy.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), with the
k1 and b that Lucene has.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy
    import numpy.typing

_K1: Final = 1.2
_B: Final = 0.75


class Bm25:
    """Scores every document for a question."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        import numpy

        self._count = len(documents)
        lengths = numpy.asarray([*map(len, documents)], numpy.float32)
        weighed = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0))
        found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, words in enumerate(documents):
            for word, times in Counter(words).items():
                found[word].append((place, times))
        self._postings: dict[
            str, tuple[numpy.typing.NDArray[numpy.int64], numpy.typing.NDArray[numpy.float32]]
        ] = {}
        for word, holding in found.items():
            places = numpy.asarray([place for place, _ in holding], numpy.int64)
            times_in = numpy.asarray([times for _, times in holding], numpy.float32)
            rarity = math.log(1 + (self._count - len(holding) + 0.5) / (len(holding) + 0.5))
            scores = rarity * times_in * (_K1 + 1) / (times_in + weighed[places])
            self._postings[word] = places, scores.astype(numpy.float32)

    def scores(self, question: Iterable[str]) -> numpy.typing.NDArray[numpy.float32]:
        """One for each document, 0 where none of the words is in it."""
        import numpy

        total = numpy.zeros(self._count, numpy.float32)
        for word in dict.fromkeys(question):
            if word in self._postings:
                places, scores = self._postings[word]
                total[places] += scores
        return total
