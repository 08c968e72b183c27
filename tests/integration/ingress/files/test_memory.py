"""A door's memory does not grow with the files that pass through it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from .forms import END, PURPOSE, TYPE, file

ROOT = Path(__file__).resolve().parents[4]
MEGABYTE = 1_000_000
SIZE = 48 * MEGABYTE
GROWTH = 12 * MEGABYTE
_HEAD, _, _FOOT = (PURPOSE + file(b"\0") + END).partition(b"\0")


class DoorProcess:
    """`python -m ingress`, whose memory can be read."""

    def __init__(self, ledger_url: str, redis_url: str) -> None:
        settings = {
            "FOREBAY_INGRESS__PORT": "0",
            "FOREBAY_INGRESS__LEDGER_TIMEOUT_SECONDS": "30",
            "FOREBAY_LEDGER__TIMEOUT_SECONDS": "30",
            "FOREBAY_LEDGER__URL": ledger_url,
            "FOREBAY_REDIS__URL": redis_url,
            "FOREBAY_BROKER__URL": redis_url,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ingress"],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1]

    def peak_bytes(self) -> int:
        """The most that it ever had in memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def door(migrated_sqlite_url: str, redis_url: str) -> Iterator[DoorProcess]:
    running = DoorProcess(migrated_sqlite_url, redis_url)
    yield running
    running.close()


async def _form(size: int) -> AsyncIterator[bytes]:
    yield _HEAD
    for number in range(size // MEGABYTE):
        yield (b"%d" % number).ljust(MEGABYTE, b".")
    yield _FOOT


async def _pass_through(http: aiohttp.ClientSession, size: int) -> None:
    headers = {"Content-Type": TYPE}
    async with http.post("/v1/files", data=_form(size), headers=headers) as answer:
        kept = await answer.json()
    assert kept["bytes"] == size, kept
    read = 0
    async with http.get(f"/v1/files/{kept['id']}/content") as answer:
        async for piece in answer.content.iter_any():
            read += len(piece)
    assert read == size


async def test_a_file_passes_in_pieces_both_ways(door: DoorProcess, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(door.url, headers=headers) as http:
        await _pass_through(http, 2 * MEGABYTE)
        before = await asyncio.to_thread(door.peak_bytes)
        await _pass_through(http, SIZE)
        await asyncio.gather(*(_pass_through(http, 4 * MEGABYTE) for _ in range(4)))
        grown = await asyncio.to_thread(door.peak_bytes) - before
    assert grown < GROWTH
