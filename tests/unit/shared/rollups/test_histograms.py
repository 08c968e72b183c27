"""What fixed buckets still know of how long things took."""

from __future__ import annotations

from random import Random

import pytest

from shared.rollups.histogram import BOUNDS, BUCKETS, Histogram, bucket_of


def _counted(milliseconds: list[int]) -> Histogram:
    counts = [0] * BUCKETS
    for each in milliseconds:
        counts[bucket_of(each)] += 1
    return Histogram(tuple(counts), sum(milliseconds) / 1_000)


@pytest.mark.parametrize("q", [0.05, 0.5, 0.95, 0.99])
def test_a_quantile_is_off_by_no_more_than_its_bucket(q: float) -> None:
    random = Random(7)
    for _ in range(50):
        drawn = sorted(int(random.lognormvariate(7, 1.5)) + 20 for _ in range(400))
        true = drawn[max(0, round(q * len(drawn)) - 1)]
        if true > 300_000:
            continue
        told = _counted(drawn).quantile(q)
        assert told is not None
        assert 0.59 <= told / (true / 1_000) <= 1.7


def test_a_mean_is_exact_and_nothing_has_none() -> None:
    assert _counted([100, 200, 600]).mean == pytest.approx(0.3)
    empty = Histogram()
    assert (empty.mean, empty.quantile(0.5), empty.share_within(2.0)) == (None, None, None)


def test_a_bound_counts_as_within_it() -> None:
    histogram = _counted([1_999, 2_000, 2_001, 9_000_000])
    assert histogram.share_within(2.0) == 0.5
    assert histogram.quantile(1.0) == BOUNDS[-1]


def test_a_quantile_beyond_all_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Histogram().quantile(95)
