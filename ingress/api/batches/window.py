"""How long a batch may take: OpenAI's `24h`, and shorter ones of the same form."""

from __future__ import annotations

import re
from typing import Final

from shared.errors import InvalidRequest

LONGEST_SECONDS: Final = 86_400
_SECONDS: Final = {"h": 3_600, "m": 60}
_FORM: Final = re.compile("([1-9][0-9]{0,3})([hm])")


def window_seconds(text: str) -> int:
    """The seconds of `24h`, `1h`, `30m`; raises InvalidRequest for what is none or longer."""
    found = _FORM.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= LONGEST_SECONDS:
        raise InvalidRequest(
            f"'completion_window' is '{text[:16]}'. Send 24h, or a shorter one in hours or "
            "minutes, such as 1h or 30m.",
            param="completion_window",
        )
    return seconds


def window_text(seconds: int) -> str:
    """The same as it is written, in the largest unit that has it whole."""
    for unit, size in _SECONDS.items():
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
