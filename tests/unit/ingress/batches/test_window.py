"""How long a batch may take, as it is written."""

from __future__ import annotations

import pytest

from ingress.api.batches.window import window_seconds, window_text
from shared.errors import InvalidRequest


@pytest.mark.parametrize(
    ("text", "seconds"), [("24h", 86_400), ("1h", 3_600), ("30m", 1_800), ("90m", 5_400)]
)
def test_a_window_is_written_as_it_was_read(text: str, seconds: int) -> None:
    assert window_seconds(text) == seconds
    assert window_text(seconds) == text


@pytest.mark.parametrize(
    "text",
    ["", "24", "h", "25h", "1441m", "0m", "-1h", "1.5h", "24H", "24h ", "1d", "٣h", "9" * 99],
)
def test_what_is_no_window_or_too_long_is_refused_with_what_is_right(text: str) -> None:
    with pytest.raises(InvalidRequest, match="such as 1h or 30m") as raised:
        window_seconds(text)
    assert raised.value.param == "completion_window"


def test_a_window_of_odd_seconds_is_told_in_seconds() -> None:
    assert window_text(90) == "90s"
