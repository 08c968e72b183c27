"""A child on the leash, and its own children, end with whoever holds it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from deploy.embedded.processes.leash import Leash
from tests.acceptance.command import clean_environment, eventually

# A child that has a child; both write down who they are.
FAMILY = 'echo "$$"; sleep 300 & echo "$!"; wait'

OWNER = f"""
import asyncio, os, sys
from pathlib import Path
from deploy.embedded.processes.leash import Leash

async def main():
    leash = Leash()
    await leash.spawn(["/bin/sh", "-c", {FAMILY!r}], environment=os.environ, log=Path(sys.argv[1]))
    await asyncio.Event().wait()

asyncio.run(main())
"""


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _family(log: Path) -> list[int]:
    assert eventually(lambda: log.exists() and len(log.read_text().split()) == 2)
    return [int(pid) for pid in log.read_text().split()]


def test_kill_9_of_the_owner_ends_children_and_grandchildren(tmp_path: Path) -> None:
    log = tmp_path / "family.log"
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(log)], env=clean_environment())
    family = _family(log)
    assert all(map(_lives, family))
    owner.kill()
    owner.wait(60)
    assert eventually(lambda: not any(map(_lives, family)))


async def test_letting_go_ends_what_still_runs(tmp_path: Path) -> None:
    log = tmp_path / "family.log"
    leash = Leash()
    process = await leash.spawn(["/bin/sh", "-c", FAMILY], environment=clean_environment(), log=log)
    family = await asyncio.to_thread(_family, log)
    assert family[0] == process.pid
    leash.close()
    assert await process.wait() == -9
    assert await asyncio.to_thread(eventually, lambda: not any(map(_lives, family)))


async def test_a_program_that_ends_by_itself_says_how(tmp_path: Path) -> None:
    leash = Leash()
    log = tmp_path / "log"
    ended = await leash.spawn(
        ["/bin/sh", "-c", "echo done; exit 7"], environment=clean_environment(), log=log
    )
    assert await ended.wait() == 7
    assert log.read_text() == "done\n"
    leash.close()
