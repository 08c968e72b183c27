"""One question to a door; what it takes is loaded when it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from deploy.cli.connection import door_and_key

if TYPE_CHECKING:
    from deploy.cli.batch.door import BatchesOfDoor

T = TypeVar("T")


def ask_door(work: Callable[[BatchesOfDoor], Awaitable[T]], url: str | None, key: str | None) -> T:
    """What the work comes to; raises what it raises, Unavailable and InvalidRequest."""

    async def asked() -> T:
        from deploy.cli.batch.door import BatchesOfDoor

        async with BatchesOfDoor(*door_and_key(url, key)) as door:
            return await work(door)

    return asyncio.run(asked())
