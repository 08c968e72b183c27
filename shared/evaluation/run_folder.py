"""Runs in a folder: a file for each, so that they can be looked at, copied and thrown away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from shared.errors import InvalidRequest
from shared.evaluation.run import EvaluationRun

_SUFFIX: Final = ".json"


class RunFolder:
    """Stores runs and finds the last one that a run may be compared with.

    A run is whole or not there; two commands may store at the same time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def store(self, run: EvaluationRun) -> Path:
        """Where it lies. Raises InvalidRequest where the folder cannot be written to."""
        stamp = f"{run.at:%Y%m%dT%H%M%S%f}"
        file = self._folder / f"{run.subject}-{run.set_name}-{run.line}-{stamp}{_SUFFIX}"
        partial = file.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(msgspec.json.encode(run))
            partial.replace(file)
        except OSError as error:
            raise InvalidRequest(
                f"Runs cannot be stored in {self._folder}: {error.strerror}. Name another folder.",
                param="runs",
            ) from error
        return file

    def last(self, run: EvaluationRun) -> EvaluationRun | None:
        """The newest of the same subject, set and settings that is older than this one."""
        prefix = f"{run.subject}-{run.set_name}-{run.line}-"
        for file in sorted(self._folder.glob(f"{prefix}*{_SUFFIX}"), reverse=True):
            kept = _read(file)
            if kept is not None and kept.line == run.line and kept.at < run.at:
                return kept
        return None


def _read(file: Path) -> EvaluationRun | None:
    """None of a file that is no run of this version, or is gone."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=EvaluationRun)
    except (OSError, msgspec.MsgspecError):
        return None
