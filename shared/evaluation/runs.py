"""Runs of an evaluation, kept as files so that the next one can be held against the last."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from shared.errors import InvalidRequest
from shared.evaluation.intervals import Interval

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")


class Figure(msgspec.Struct, frozen=True):
    """One number: of which set and half, of what, measured how, and how sure it is."""

    subject: str
    """The set of questions, with its half where it was divided."""
    what: str
    metric: str
    value: Interval
    questions: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What figures of two runs are compared by."""
        return self.subject, self.what, self.metric


class EvaluationRun(msgspec.Struct, frozen=True):
    """One evaluation as it was; its conditions say what else may explain a difference."""

    name: str
    made_at: datetime
    conditions: Mapping[str, str]
    figures: tuple[Figure, ...]


class FigureChange(msgspec.Struct, frozen=True):
    """A figure beside the same one of the run before."""

    figure: Figure
    before: Interval

    @property
    def is_beyond_chance(self) -> bool:
        """Whether neither mean lies in the other's interval: the questions may be others."""
        now = self.figure.value
        return not (now.low <= self.before.mean <= now.high) and not (
            self.before.low <= now.mean <= self.before.high
        )


class RunStore:
    """A folder with one file for each run; nothing else writes to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, run: EvaluationRun) -> Path:
        """Whole or not at all."""
        if not _NAME.fullmatch(run.name):
            raise InvalidRequest("name: use 1 to 41 of a-z, 0-9 and '-'.", param="name")
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{run.name}-{run.made_at:%Y%m%dT%H%M%S%f}.json"
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(run)))
        unfinished.rename(path)
        return path

    def last(self, name: str) -> EvaluationRun | None:
        """The newest of that name that can be read."""
        for path in sorted(self._folder.glob(f"{name}-*.json"), reverse=True):
            try:
                run = msgspec.json.decode(path.read_bytes(), type=EvaluationRun)
            except (OSError, msgspec.MsgspecError):
                continue
            if run.name == name:
                return run
        return None


def changes(now: EvaluationRun, before: EvaluationRun | None) -> Iterator[FigureChange]:
    """Of the figures that both runs have."""
    known = {each.key: each.value for each in before.figures} if before else {}
    for figure in now.figures:
        if figure.key in known:
            yield FigureChange(figure, known[figure.key])
