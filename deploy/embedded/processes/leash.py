"""Child processes that cannot outlive us, however we end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

# The shell becomes the program. Before that it leaves a watchdog in the program's process group:
# a read that ends when the last writer of our pipe is gone, and then a SIGKILL for the group.
# Nothing is ever written to the pipe; the kernel closes it with us, after kill -9 too. The
# watchdog holds the group's number, so it can never be another group's by then.
_SCRIPT: Final = """\
exec 3<&0 </dev/null
(read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 &
exec "$@" 3<&-
"""


class Leash:
    """One pipe from us to the watchdogs of all our children.

    A child leads a session of its own, so a Ctrl-C in the terminal reaches us alone, and whoever
    of its descendants stays in its process group dies with it.
    """

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()

    async def spawn(
        self, command: Sequence[str], *, environment: Mapping[str, str], log: Path
    ) -> asyncio.subprocess.Process:
        """Start `command`, its output appended to `log`. Its pid is its process group's number."""
        with log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                _SCRIPT,
                "leash",
                *command,
                stdin=self._read_end,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )

    def close(self) -> None:
        """Let go: whatever still runs on this leash is killed."""
        os.close(self._write_end)
        os.close(self._read_end)
