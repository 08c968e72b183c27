"""A bar on stderr: which step is under way, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ReplayBar:
    """One line for the step that is under way."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._step = progress.add_task("", total=None)

    def begin(self, step: str, total: int | None) -> None:
        """A new step; the one before is done. None where nobody knows how long it is."""
        self._progress.reset(self._step, total=total, description=step)

    def reach(self, done: int) -> None:
        """It has come so far."""
        self._progress.update(self._step, completed=done)


@contextmanager
def replay_bar() -> Iterator[ReplayBar]:
    """Shown where somebody looks."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield ReplayBar(progress)
