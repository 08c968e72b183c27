"""A question of any length is cut to what an index may be asked."""

from __future__ import annotations

import pytest

from shared.search.checking_queries import MOST_CHARACTERS
from shared.search.folding import folded
from workers.steps.searching.index_retriever import shortened


@pytest.mark.parametrize(
    "text",
    ["x" * 100_000, "\ufdfa" * 2_000, "a\0b \ud800" * 1_000, "\u0130" * 1_999],
    ids=["long", "unfolds", "unstorable", "grows"],
)
def test_what_is_too_long_is_cut(text: str) -> None:
    asked = shortened(text)
    assert asked
    assert len(asked) <= MOST_CHARACTERS
    assert len(folded(asked)) <= MOST_CHARACTERS
    assert "\0" not in asked
    asked.encode()


def test_its_beginning_and_its_end_are_kept() -> None:
    assert shortened("  How high?  ") == "How high?"
    long = shortened("How high? " + "- " * 5_000 + "Answer in metres.")
    assert long.startswith("How high?")
    assert long.endswith("Answer in metres.")
