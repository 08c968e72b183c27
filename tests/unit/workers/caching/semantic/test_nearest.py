"""The scan beside an exact comparison of everything with everything."""

from __future__ import annotations

import numpy
import pytest

from workers.caching.semantic.entry import Removal, SemanticEntry
from workers.caching.semantic.nearest import NearestQuestions, Neighbour

DIMENSIONS = 384
LATER = 1e12


def entry(name: str, vector: numpy.ndarray, expires_at: float = LATER) -> SemanticEntry:
    scaled = numpy.rint(vector * (127 / numpy.abs(vector).max())).astype(numpy.int8)
    return SemanticEntry(name, f"text of {name}", expires_at, scaled.tobytes())


def unit_vectors(count: int, *, seed: int = 1) -> numpy.ndarray:
    vectors = numpy.random.default_rng(seed).normal(size=(count, DIMENSIONS))
    return (vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)).astype(numpy.float32)


def near(vector: numpy.ndarray, *, seed: int = 2) -> numpy.ndarray:
    moved = vector + numpy.random.default_rng(seed).normal(size=DIMENSIONS) * 0.02
    return (moved / numpy.linalg.norm(moved)).astype(numpy.float32)


def search(
    questions: NearestQuestions, vector: numpy.ndarray, *, count: int = 5, now: float = 0
) -> list[Neighbour]:
    rows, filled = questions.snapshot()
    return rows.search(vector, filled, count=count, now=now)


@pytest.mark.parametrize("count", [1, 63, 64, 65, 5_000, 40_000])
def test_the_nearest_is_found_and_its_cosine_is_right(count: int) -> None:
    vectors = unit_vectors(count)
    questions = NearestQuestions(dimensions=DIMENSIONS, max_entries=count)
    questions.apply((entry(f"e{n}", vector) for n, vector in enumerate(vectors)), now=0)
    for wanted in range(0, count, max(1, count // 20)):
        asked = near(vectors[wanted])
        found = search(questions, asked)
        assert found[0].entry.id == f"e{wanted}"
        assert found[0].similarity == pytest.approx(float(asked @ vectors[wanted]), abs=5e-3)
        cosines = [neighbour.similarity for neighbour in found]
        assert cosines == sorted(cosines, reverse=True)


def test_an_empty_namespace_has_no_neighbours() -> None:
    questions = NearestQuestions(dimensions=DIMENSIONS, max_entries=10)
    assert search(questions, unit_vectors(1)[0]) == []


def test_what_was_removed_or_has_expired_is_not_found() -> None:
    one, two, three = unit_vectors(3)
    questions = NearestQuestions(dimensions=DIMENSIONS, max_entries=10)
    questions.apply([entry("one", one), entry("two", two, 50), entry("three", three, 5)], now=10)
    questions.apply([Removal("one"), Removal("unknown")], now=10)
    assert [found.entry.id for found in search(questions, two, now=10)] == ["two"]
    assert search(questions, two, now=60) == []
    assert len(questions) == 1


def test_an_addition_that_is_removed_in_the_same_breath_is_gone() -> None:
    (vector,) = unit_vectors(1)
    questions = NearestQuestions(dimensions=DIMENSIONS, max_entries=10)
    questions.apply([entry("one", vector), Removal("one")], now=0)
    assert len(questions) == 0


def test_an_entry_that_comes_again_is_held_once() -> None:
    one, two = unit_vectors(2)
    questions = NearestQuestions(dimensions=DIMENSIONS, max_entries=10)
    questions.apply([entry("same", one)], now=0)
    questions.apply([entry("same", two), entry("same", two)], now=0)
    assert len(questions) == 1
    assert search(questions, two)[0].similarity > 0.99


@pytest.mark.parametrize("limit", [1, 2, 100, 1_000])
def test_no_more_are_kept_than_allowed_and_the_newest_stay(limit: int) -> None:
    vectors = unit_vectors(3 * limit)
    questions = NearestQuestions(dimensions=DIMENSIONS, max_entries=limit)
    for n, vector in enumerate(vectors):
        questions.apply([entry(f"e{n}", vector)], now=0)
        assert len(questions) <= limit
    newest = 3 * limit - 1
    assert search(questions, vectors[newest])[0].entry.id == f"e{newest}"


def test_a_scan_is_not_disturbed_by_what_happens_meanwhile() -> None:
    vectors = unit_vectors(600)
    questions = NearestQuestions(dimensions=DIMENSIONS, max_entries=400)
    questions.apply([entry(f"e{n}", vector) for n, vector in enumerate(vectors[:300])], now=0)
    rows, filled = questions.snapshot()
    questions.apply([entry(f"e{n}", vectors[n]) for n in range(300, 600)], now=0)
    assert rows.search(vectors[7], filled, count=1, now=0)[0].entry.id == "e7"


def test_vectors_of_another_length_are_left_out() -> None:
    questions = NearestQuestions(dimensions=DIMENSIONS, max_entries=10)
    questions.apply([SemanticEntry("odd", "text", LATER, b"123")], now=0)
    assert len(questions) == 0
