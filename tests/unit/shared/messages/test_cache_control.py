"""What a message may say about stored answers."""

from __future__ import annotations

import pytest

from shared.answer_cache.cache_control import CacheControl, read_cache_control
from shared.errors import InvalidRequest


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (None, CacheControl()),
        ("", CacheControl()),
        ("no-cache", CacheControl(no_cache=True)),
        ("No-Store", CacheControl(no_store=True)),
        ("max-age=60", CacheControl(max_age_seconds=60)),
        ('no-store , max-age="0"', CacheControl(no_store=True, max_age_seconds=0)),
        ("no-transform, stale-if-error=5", CacheControl()),
    ],
)
def test_known_words_count_and_unknown_ones_are_passed_over(
    words: str | None, meaning: CacheControl
) -> None:
    assert read_cache_control(words) == meaning


@pytest.mark.parametrize(
    "words", ["max-age", "max-age=soon", "max-age=-1", "max-age=1e3", "max-age=٣", "max-age=" * 50]
)
def test_an_age_that_is_none_is_refused_by_name(words: str) -> None:
    with pytest.raises(InvalidRequest, match="Cache-Control"):
        read_cache_control(words, param="Cache-Control")


def test_only_if_cached_is_refused_because_passing_it_over_would_cost_money() -> None:
    with pytest.raises(InvalidRequest, match="only-if-cached"):
        read_cache_control("only-if-cached")
