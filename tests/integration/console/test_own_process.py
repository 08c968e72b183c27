"""The console's own process: it works for those who look, and the door is none the worse for it."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs

from ingress.console.apart import console_process
from ingress.console.apart.console_process import ConsoleProcess
from ingress.console.apart.control import ControlSign
from shared.errors import Unavailable
from shared.messages.tenant import KeyScope
from shared.settings import Settings
from shared.settings.watching.console import ConsoleSettings
from tests.integration.console.conftest import LogIn
from tests.integration.ingress.running_door import RunningDoor

LIVE = "/console/api/live"
LETTERS = "/console/api/dead_letters"
OTHER_PAGE = {"Origin": "https://elsewhere.example"}
STARTER = """
import asyncio
from ingress.console.apart.console_process import ConsoleProcess
from shared.settings import Settings

async def well():
    return True

async def main():
    process = ConsoleProcess(Settings(), well)
    async with process.connected():
        print(process.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return structs.replace(settings, console=ConsoleSettings())


async def _well() -> bool:
    return True


async def test_it_is_asked_what_the_door_is_asked_and_told_who_asks(
    door: RunningDoor, log_in: LogIn
) -> None:
    session = await log_in(KeyScope.OPERATOR)
    async with session.get(f"{LETTERS}?limit=0") as answer:
        told = await answer.json()
        assert (answer.status, "limit" in told["detail"]) == (400, True), "the query came with it"
        assert told["request_id"] == answer.headers["X-Request-Id"], "it is one request"
    async with session.head(LETTERS) as answer:
        assert (answer.status, await answer.read()) == (200, b"")
    async with session.post(f"{LETTERS}/discard", json={"ids": ["dead_1"]}) as answer:
        assert list((await answer.json())["failed"]) == ["dead_1"]
    async with session.post(f"{LETTERS}/discard", json={}, headers=OTHER_PAGE) as answer:
        assert answer.status == 403
    async with session.post(f"{LETTERS}/discard", data=b" " * 300_000) as answer:
        assert answer.status == 413
    async with session.get("/console/api/a%20b/%C3%A9") as answer:
        assert "/console/api/a b/é" in (await answer.json())["detail"]
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(b"GET /console/api/session HTTP/1.0\r\n\r\n")
    assert b" 204 " in await reader.readline(), "an old client names no host"
    writer.close()


async def test_one_that_is_killed_is_followed_by_another_and_nobody_logs_in_again(
    door: RunningDoor, log_in: LogIn
) -> None:
    session = await log_in()
    async with session.get(LIVE) as live:
        while b"beat" not in await asyncio.wait_for(live.content.readline(), 30):
            pass
        console = _console_of_this_process()
        os.kill(console, signal.SIGTERM)
        async with session.get(LETTERS) as answer:
            assert (answer.status, _console_of_this_process()) == (200, console), "the door ends it"
        os.kill(console, signal.SIGKILL)
        await asyncio.wait_for(live.read(), 30)
    async with session.get(LETTERS) as answer:
        assert answer.status == 200
    async with session.get(LIVE) as live:
        door.tell_to_end()
        await asyncio.wait_for(live.read(), 30)


async def test_an_act_whose_answer_is_lost_is_not_said_to_be_undone(
    log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await log_in(KeyScope.OPERATOR)

    async def to_one_that_dies(_process: ConsoleProcess) -> socket.socket:
        ours, theirs = socket.socketpair()
        theirs.shutdown(socket.SHUT_WR)
        dying.append(theirs)
        return ours

    dying: list[socket.socket] = []
    monkeypatch.setattr(ConsoleProcess, "_connection", to_one_that_dies)
    async with session.get(LETTERS) as answer:
        assert (answer.status, (await answer.json())["code"]) == (503, "unavailable")
    async with session.post(f"{LETTERS}/discard", json={"ids": ["dead_1"]}) as answer:
        told = await answer.json()
        assert (answer.status, told["code"]) == (503, "act_unknown")
        assert "not known whether" in told["detail"]
    for each in dying:
        each.close()


async def test_one_serves_all_who_come_while_it_begins() -> None:
    process = ConsoleProcess(Settings(), _well)
    answers = await asyncio.gather(*(_asked(process) for _ in range(400)))
    await process.close()
    assert set(answers) == {b"HTTP/1.1 204 No Content\r\n"}


async def test_each_is_told_that_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int | None, ControlSign]] = []
    say = ConsoleProcess._say

    def heard(process: ConsoleProcess, sign: ControlSign, *descriptors: int) -> bool:
        told.append((process.pid, sign))
        return say(process, sign, *descriptors)

    async def away() -> bool:
        return False

    monkeypatch.setattr(ConsoleProcess, "_say", heard)
    monkeypatch.setattr(console_process, "_LOOK_SECONDS", 0.2)
    process = ConsoleProcess(Settings(), away)
    for _ in range(2):
        await _asked(process)
        assert process.pid is not None
        while (process.pid, ControlSign.BROKER_IS_AWAY) not in told:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        while process.pid is not None:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await process.close()


async def test_it_ends_however_its_door_does() -> None:
    starter = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARTER), stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    console = os.pidfd_open(int(await starter.stdout.readline()))
    starter.kill()
    await starter.wait()
    ended, _, _ = await asyncio.to_thread(select.select, [console], [], [], 30)
    os.close(console)
    assert ended


async def test_one_that_nobody_asks_any_more_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_process, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(console_process, "_LOOK_SECONDS", 0.01)
    process = ConsoleProcess(Settings(), _well)
    async with process.connected():
        pid = process.pid
    while pid is not None:
        await asyncio.sleep(0.01)
        pid = process.pid
    await process.close()


async def test_one_that_cannot_run_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_process, "sys", SimpleNamespace(executable="/bin/false"))
    process = ConsoleProcess(Settings(), _well)
    with pytest.raises(Unavailable, match="log of the door"):
        await _asked_twice(process)
    await process.close()


async def _asked(process: ConsoleProcess) -> bytes:
    async with process.connected() as (reader, writer):
        writer.write(b"GET /console/api/session HTTP/1.1\r\nHost: door\r\n\r\n")
        return await reader.readline()


async def _asked_twice(process: ConsoleProcess) -> None:
    for _ in range(2):
        with suppress(EOFError):
            async with process.connected() as (reader, _writer):
                await reader.readexactly(1)


def _console_of_this_process() -> int:
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            command = (each / "cmdline").read_bytes()
            if parent == os.getpid() and b"ingress.console.apart" in command:
                return int(each.name)
    raise AssertionError("there is none")
