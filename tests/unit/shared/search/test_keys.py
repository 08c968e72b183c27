"""What filters ask Meilisearch for, told apart where the values differ."""

from __future__ import annotations

import itertools
import math

import pytest

from shared.search.keyword.keys import bounds_of, key_of, numbers_of
from shared.search.label import number_field
from shared.search.point import Passage

NUMBERS = [-math.inf, -1.5e300, -7.0, -1.0, -5e-324, 0.0, 5e-324, 0.5, 1.0, 2.0**53, 1e300]


def number(value: float) -> str:
    passage = Passage("c", "d", "s", "p", "go", "code", 1, "body", attributes={"n": value})
    return numbers_of(passage)[0]


def test_values_that_differ_by_case_field_or_length_have_other_keys() -> None:
    values = [("tenant", "acme"), ("tenant", "ACME"), ("path", "acme"), ("path", "a" * 500)]
    values += [("path", "a" * 501), ("path", "\0"), ("path", "")]
    assert len({key_of(field, value).lower() for field, value in values}) == len(values)


def test_numbers_sort_as_texts_whatever_their_case() -> None:
    written = [number(value) for value in NUMBERS]
    assert written == sorted(written) == [each.lower() for each in written]
    assert number(-0.0) == number(0.0)


@pytest.mark.parametrize("value", NUMBERS[1:])
def test_bounds_hold_what_they_say_and_no_other_key(value: float) -> None:
    field = number_field("n")
    for sign, holds in (
        ("gt", lambda each: each > value),
        ("gte", lambda each: each >= value),
        ("lt", lambda each: each < value),
        ("lte", lambda each: each <= value),
    ):
        least, most = bounds_of(field, {sign: value})
        for each in NUMBERS:
            assert (least <= number(each) <= most) == holds(each), (sign, value, each)
    for (left, right), sign in itertools.product(itertools.pairwise(NUMBERS), ("gt", "lte")):
        least, most = bounds_of(number_field("N"), {sign: left})
        assert not least <= number(right) <= most
