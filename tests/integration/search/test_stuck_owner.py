"""An owner whose engine never comes back from a call."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.vector_store import StoreUnavailable

STUCK = """
import asyncio, sys, unicodedata
from pathlib import Path
from shared.search.embedded.calls import Call, Reply
from shared.search.embedded.owner import Owner
from shared.search.embedded.shards import Shards

class StuckShards(Shards):
    def answer(self, call: Call) -> Reply:
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
    with pytest.raises(StoreUnavailable, match="went away during the call"):
        await store.generations()
    async with asyncio.timeout(20):
        assert await owner.wait() == -signal.SIGALRM
    assert await store.generations() == ()
    await store.close()
