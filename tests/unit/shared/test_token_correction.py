"""What one answer may take from a bucket beyond what was reserved for it."""

from __future__ import annotations

import pytest

from shared.reservations.reservations import LARGEST_CORRECTION, token_correction


@pytest.mark.parametrize(
    ("reserved", "used", "correction"),
    [
        (1_000, 400, -600),
        (1_000, 1_000, 0),
        (1_000, 3_000, 2_000),
        (1_000, 180_000_000, 1_000 + LARGEST_CORRECTION),
        (200_000, 400_000, 200_000),
    ],
)
def test_a_correction_is_bounded_by_what_was_reserved(
    reserved: int, used: int, correction: int
) -> None:
    assert token_correction(reserved=reserved, used=used) == correction
