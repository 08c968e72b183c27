"""`python -m shared.search.embedded FOLDER STARTER`: owns the folder until its starter ends.

It ends with `NOT_OWNER` at once where another process owns the folder.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import sys
from pathlib import Path
from typing import Final

from shared.search.embedded.owner import Owner
from shared.search.embedded.reaching import LOCK, NOT_OWNER, SOCKET
from shared.search.embedded.shards import Shards

_LOOK_SECONDS: Final = 0.2


async def _own(folder: Path, starter: int) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    shards = Shards(folder)
    owner = Owner(shards)
    (folder / SOCKET).unlink(missing_ok=True)
    server = await asyncio.start_unix_server(owner.receive, folder / SOCKET)
    answering = asyncio.create_task(owner.answer_all())
    looking = asyncio.create_task(owner.look_after_all())
    watching = asyncio.create_task(_starter_ends(starter))
    try:
        await asyncio.wait(
            (answering, looking, watching, asyncio.create_task(ended.wait())),
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in (answering, looking):
            if task.done():
                task.result()
    finally:
        server.close()
        (folder / SOCKET).unlink(missing_ok=True)
        answering.cancel()
        looking.cancel()
        await shards.close()


async def _starter_ends(starter: int) -> None:
    """An orphan gets another parent, whichever way its own ended."""
    while os.getppid() == starter:  # noqa: ASYNC110 - of another process, no event tells it
        await asyncio.sleep(_LOOK_SECONDS)


def main(arguments: list[str]) -> int:
    folder, starter = Path(arguments[0]), int(arguments[1])
    os.umask(0o077)  # whoever reaches the socket or the files reads every tenant
    with (folder / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return NOT_OWNER
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())  # for people who look who it is
        lock.flush()
        asyncio.run(_own(folder, starter))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
