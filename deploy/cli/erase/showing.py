"""How far an erasure is, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from deploy.cli.output import counted
from shared.erasing.erasures import Erasure
from shared.erasing.tables import ErasureStage, ErasureSubject

_HEX_DIGITS_OF_TIME = 12


@contextmanager
def shown_progress() -> Iterator[Callable[[Erasure], None]]:
    """Takes each state of it: one line where somebody looks, a line for each change elsewhere."""
    from rich.console import Console

    console, told = Console(stderr=True), ""
    if console.is_terminal:
        with console.status("Looking") as status:
            yield lambda erasure: status.update(_sentence(erasure))
        return

    def write(erasure: Erasure) -> None:
        nonlocal told
        if (stage := f"{erasure.stage}{erasure.due_at}") != told:
            told = stage
            sys.stderr.write(f"{_sentence(erasure)}\n")

    yield write


def _sentence(erasure: Erasure) -> str:
    if erasure.completed_at is not None:
        return "Done."
    found = f"{counted(erasure.messages, 'message')} so far"
    if erasure.due_at is not None and erasure.due_at > datetime.now(UTC):
        return f"Some have only just ended: going on at {erasure.due_at:%H:%M:%S} UTC, {found}"
    if erasure.stage is ErasureStage.MESSAGES and erasure.subject is ErasureSubject.USER:
        return f"Looking through messages, as of {_moment(erasure.place)}: {found}"
    return f"Looking through {erasure.stage}: {found}"


def _moment(place: str) -> str:
    digits = place.rpartition("_")[2][:_HEX_DIGITS_OF_TIME]
    try:
        at = datetime.fromtimestamp(int(digits, 16) / 1000, UTC)
    except (ValueError, OverflowError):
        return "the first"
    return f"{at:%Y-%m-%d %H:%M}"
