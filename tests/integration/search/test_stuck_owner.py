"""An owner whose engine never comes back from a call, and one that goes while it is asked."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.embedded.reaching import LOCK, SOCKET
from shared.search.vector_store import StoreUnavailable

STUCK = """
import asyncio, sys, unicodedata
from pathlib import Path
from shared.search.embedded.calls import Call, Reply
from shared.search.embedded.owner import Owner
from shared.search.embedded.shards import Shards

class StuckShards(Shards):
    asked = 0

    def answer(self, call: Call) -> Reply:
        self.asked += 1
        if self.asked == 1:
            return super().answer(call)
        # Holds the interpreter for minutes, as an engine may.
        unicodedata.normalize("NFC", "a" + (chr(0x301) + chr(0x316)) * 500_000)
        raise AssertionError("it came back")

async def main() -> None:
    owner = Owner(StuckShards(Path(sys.argv[1]).parent), longest_call_seconds=1)
    server = await asyncio.start_unix_server(owner.receive, sys.argv[1])
    print("ready", flush=True)
    await owner.answer_all()

asyncio.run(main())
"""


async def test_a_call_that_never_ends_ends_the_owner_and_not_its_callers(tmp_path: Path) -> None:
    owner = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STUCK, str(tmp_path / "owner.sock")),
        stdout=asyncio.subprocess.PIPE,
    )
    assert owner.stdout is not None
    assert await owner.stdout.readline() == b"ready\n"
    store = EmbeddedStore(tmp_path)
    assert await store.generations() == ()
    with pytest.raises(StoreUnavailable, match="went away during the call"):
        await store.generations()
    async with asyncio.timeout(60):
        assert await owner.wait() == -signal.SIGALRM
    assert await store.generations() == ()
    await store.close()


async def test_who_comes_to_an_owner_that_is_going_is_answered_by_the_next(tmp_path: Path) -> None:
    starter, other = EmbeddedStore(tmp_path), EmbeddedStore(tmp_path)
    assert await starter.generations() == ()
    owner = int((tmp_path / LOCK).read_text())
    os.kill(owner, signal.SIGSTOP)  # the kernel connects, and nobody looks who came
    sockets = sockets_at(tmp_path)
    asked = asyncio.create_task(other.generations())
    await more_sockets(tmp_path, sockets)
    os.kill(owner, signal.SIGKILL)
    assert await asked == ()
    await other.close()
    await starter.close()


def sockets_at(folder: Path) -> int:
    """How many the kernel has of that owner: its own and one for each who came."""
    return Path("/proc/net/unix").read_text().count(f"{folder / SOCKET}\n")


async def more_sockets(folder: Path, than: int) -> None:
    while True:
        if sockets_at(folder) > than:
            return
        await asyncio.sleep(0.002)  # the kernel tells nobody
