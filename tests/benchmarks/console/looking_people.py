"""Those who look, as the benchmark tells them to."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Self


class LookingPeople:
    """A process beside ours in which so many pages are open as it was told last."""

    def __init__(self, url: str, key: str) -> None:
        self._command = (sys.executable, "-m", "tests.benchmarks.console.looking", url, key)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            start_new_session=True,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    async def look(self, pages: int) -> None:
        """Return when so many are open and live; raises RuntimeError where they cannot be."""
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("Nobody is there.")
        self._process.stdin.write(b"%d\n" % pages)
        if (told := await self._process.stdout.readline()) != b"%d\n" % pages:
            raise RuntimeError(f"Those who look said {told!r}; what went wrong stands above.")
