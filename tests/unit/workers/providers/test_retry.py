"""The waits between the tries of one provider."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.workers.providers.scripted_links import timeout, transient
from workers.providers.error_class import ErrorClass
from workers.providers.walking.link import RetryPolicy

MANY = RetryPolicy(max_tries=3)


@given(
    st.integers(1, 2),
    st.floats(0, 1000),
    st.none() | st.floats(0, 1000),
    st.integers(),
)
def test_a_wait_is_jittered_bounded_and_fits_into_the_time_left(
    tries: int, time_left: float, floor: float | None, seed: int
) -> None:
    wait = MANY.wait_after(
        transient(retry_after_seconds=floor),
        tries=tries,
        took_seconds=1,
        time_left_seconds=time_left,
        random=Random(seed),
    )

    backoff = 0.5 * 2 ** (tries - 1)
    if wait is None:
        assert (floor or 0) + backoff >= time_left
    else:
        assert (floor or 0) <= wait < time_left
        assert wait <= (floor or 0) + backoff


def test_the_backoff_is_spread_over_its_whole_range() -> None:
    waits = [
        MANY.wait_after(
            transient(), tries=2, took_seconds=0, time_left_seconds=60, random=Random(seed)
        )
        or 0
        for seed in range(200)
    ]

    assert min(waits) < 0.1
    assert 0.9 < max(waits) <= 1.0


def test_the_policy_of_a_link_caps_the_tries() -> None:
    once = RetryPolicy(max_tries=1)

    assert (
        once.wait_after(
            transient(), tries=1, took_seconds=0, time_left_seconds=60, random=Random(1)
        )
        is None
    )


def test_a_quick_timeout_is_repeated_once() -> None:
    def wait(tries: int) -> float | None:
        return MANY.wait_after(
            timeout(), tries=tries, took_seconds=5, time_left_seconds=60, random=Random(1)
        )

    assert wait(1) is not None
    assert wait(2) is None


def test_every_class_of_error_has_a_number_of_tries() -> None:
    assert all(1 <= each.tries <= 3 for each in ErrorClass)
