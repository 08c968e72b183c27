"""A bar on stderr: which step is under way, how far it is, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class StepBar:
    """One line for the step that is under way."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._step = progress.add_task("", total=None)

    def begin(self, step: str, total: int | None) -> None:
        """A new step; the one before is done. None where nobody knows how long it is."""
        self._progress.reset(self._step, total=total, description=step)

    def advance(self, done: int) -> None:
        """So many more of the step."""
        self._progress.advance(self._step, done)

    def reach(self, done: int) -> None:
        """The step has come so far."""
        self._progress.update(self._step, completed=done)


@contextmanager
def step_bar() -> Iterator[StepBar]:
    """Shown where somebody looks."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield StepBar(progress)
