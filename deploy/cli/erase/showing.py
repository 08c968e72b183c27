"""How far an erasure is, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from deploy.cli.output import moment
from shared.erasing.erasures import Erasure
from shared.erasing.tables import ErasureStage, ErasureSubject

_HEX_DIGITS_OF_TIME: Final = 12
_AFTER_MESSAGES: Final = {
    ErasureStage.BOOKINGS: "Taking the name off what was spent.",
    ErasureStage.LETTERS: "Erasing dead letters.",
    ErasureStage.ANSWERS: "Erasing stored answers.",
    ErasureStage.SUMMARIES: "Erasing summaries.",
    ErasureStage.DONE: "Done.",
}


@contextmanager
def shown_progress(*, counting: bool = False) -> Iterator[Callable[[Erasure], None]]:
    """Takes each state of it: one line where somebody looks, a line for each change elsewhere."""
    from rich.console import Console

    doing = "Counting" if counting else "Erasing"
    console, told = Console(stderr=True), ""
    if console.is_terminal:
        with console.status(f"{doing} messages") as status:
            yield lambda erasure: status.update(_sentence(erasure, doing))
        return

    def write(erasure: Erasure) -> None:
        nonlocal told
        if (stage := f"{erasure.stage}{erasure.due_at}") != told:
            told = stage
            sys.stderr.write(f"{_sentence(erasure, doing)}\n")

    yield write


def _sentence(erasure: Erasure, doing: str) -> str:
    if erasure.stage in _AFTER_MESSAGES:
        return _AFTER_MESSAGES[erasure.stage]
    so_far = f"{doing} messages: {erasure.messages:,} so far"
    if erasure.due_at is not None and erasure.due_at > datetime.now(UTC):
        until = f"{erasure.due_at:%H:%M:%S} UTC"
        return f"{so_far}. Some ended within the last minute: waiting for them until {until}."
    if erasure.subject is ErasureSubject.USER and (reached := _moment(erasure.place)):
        return f"{so_far}, up to those of {reached}."
    return f"{so_far}."


def _moment(place: str) -> str:
    """When the message that was looked at last was accepted; empty before the first."""
    digits = place.rpartition("_")[2][:_HEX_DIGITS_OF_TIME]
    try:
        return moment(datetime.fromtimestamp(int(digits, 16) / 1000, UTC))
    except (ValueError, OverflowError):
        return ""
