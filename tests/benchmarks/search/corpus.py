"""A corpus that needs no file: clustered vectors, and words as rare as words are.

It knows what is right: each question is one passage's vectors with noise, and some of its words.
Recall and times of real texts differ; what is compared here has the same corpus on both sides.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from math import log2
from typing import Final

import numpy
from numpy.typing import NDArray

from shared.search.point import Passage, Point, point_id

DIMENSIONS: Final = 384
TENANT: Final = "acme"
_CENTRES: Final = 2_000
_SPREAD: Final = 0.9
FAR: Final = 7.0
"""Noise of a question whose vector alone finds its passage about every other time."""
NEAR: Final = 2.0
_VOCABULARY: Final = 20_000
_LENGTH: Final = 30
_ASKED_WORDS: Final = 2
_COMMONEST: Final = 100
"""Words that are left out of questions, as stop words are; those behind them are asked for."""
Floats = NDArray[numpy.float32]


def small_or_full(small: int, full: int) -> int:
    return full if os.environ.get("SCALE") == "full" else small


class Corpus:
    """So many passages, the same for the same number."""

    def __init__(self, points: int, *, seed: int = 7) -> None:
        chance = numpy.random.default_rng(seed)
        self._chance = chance
        self.points = points
        centres = chance.normal(size=(_CENTRES, DIMENSIONS)).astype(numpy.float32)
        self.text = _around(chance, centres, points)
        self.code = _around(chance, centres[::-1], points)
        share = 1 / numpy.arange(1, _VOCABULARY + 1)
        self._words = chance.choice(_VOCABULARY, size=(points, _LENGTH), p=share / share.sum())

    def ids(self) -> list[str]:
        return [id_of(number) for number in range(self.points)]

    def body(self, number: int) -> str:
        return " ".join(map(_word, self._words[number]))

    def batches(self, size: int = 500) -> Iterator[list[Point]]:
        for first in range(0, self.points, size):
            yield [self._point(number) for number in range(first, min(first + size, self.points))]

    def questions(self, count: int, *, noise: float = FAR) -> list[Question]:
        return [
            self._question(int(number), noise)
            for number in self._chance.choice(self.points, count, replace=False)
        ]

    def _point(self, number: int) -> Point:
        passage = Passage(
            "c", f"d{number // 10}", "folder:/", f"f{number}.py", "python", "code", 1,
            self.body(number),
        )  # fmt: skip
        text, code = self.text[number].tolist(), self.code[number].tolist()
        return Point(id_of(number), passage, text_vector=text, code_vector=code)

    def _question(self, number: int, noise: float) -> Question:
        known = sorted(word for word in self._words[number] if word >= _COMMONEST)
        text = self.text[number] + noise * self._chance.normal(size=DIMENSIONS)
        code = self.code[number] + noise * self._chance.normal(size=DIMENSIONS)
        words = " ".join(map(_word, known[:_ASKED_WORDS]))
        return Question(id_of(number), text.tolist(), code.tolist(), words)


class Question:
    """What is asked, and the one passage that it was made from."""

    def __init__(self, wanted: str, text: list[float], code: list[float], words: str) -> None:
        self.wanted = wanted
        self.text = text
        self.code = code
        self.words = words

    def gain(self, found: list[str]) -> float:
        """nDCG@10 with one right passage."""
        best = found[:10]
        return 1 / log2(best.index(self.wanted) + 2) if self.wanted in best else 0.0


def id_of(number: int) -> str:
    return point_id(tenant=TENANT, source="s", document="d", key=str(number), ordinal=0)


def _around(chance: numpy.random.Generator, centres: Floats, points: int) -> Floats:
    drawn = chance.normal(size=(points, DIMENSIONS)).astype(numpy.float32)
    return centres[chance.integers(0, len(centres), points)] + _SPREAD * drawn


def _word(number: int) -> str:
    return f"word{number}"
