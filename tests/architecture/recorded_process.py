"""A program of the product that writes down which of its functions run.

`python -m tests.architecture.recorded_process FOLDER MODULE ARGUMENT…` is `python -m MODULE …`.
At each SIGUSR2 it writes what ran since the last one into FOLDER/1.json, FOLDER/2.json and so on.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

from tests.architecture.road import Road, recorded


def main() -> None:
    _, folder, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    numbers = count(1)
    with recorded() as road:

        def write(*_: Any) -> None:
            ran = {file: sorted(names) for file, names in road.take().functions.items()}
            draft, final = Path(folder, "draft"), Path(folder, f"{next(numbers)}.json")
            draft.write_text(json.dumps(ran))
            draft.rename(final)

        signal.signal(signal.SIGUSR2, write)
        runpy.run_module(module, run_name="__main__", alter_sys=True)


class Recording:
    """The other end: what ran in such a process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    def take(self, pid: int) -> Road:
        """What ran since the last time; waits for the process to say it."""
        file = self._folder / f"{next(self._numbers)}.json"
        os.kill(pid, signal.SIGUSR2)
        deadline = time.monotonic() + 10
        while not file.exists():
            assert time.monotonic() < deadline, "the process does not say what ran in it"
            time.sleep(0.01)
        road = Road()
        for place, names in json.loads(file.read_text()).items():
            road.functions[place].update(names)
        return road


if __name__ == "__main__":
    main()
