"""The addresses of servers, by their names."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from functools import partial
from typing import Final

from aiohappyeyeballs import AddrInfoType

_REMEMBERED_SECONDS: Final = 30.0


class HostNames:
    """The addresses of names, remembered for a while; many calls at once ask once for a name."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], tuple[float, deque[AddrInfoType]]] = {}
        self._lookups: dict[tuple[str, int], asyncio.Future[list[AddrInfoType]]] = {}

    async def addresses(self, host: str, port: int) -> list[AddrInfoType]:
        """In another order each time, so that none of them gets all connections."""
        if (numeric := _numeric(host, port)) is not None:
            return numeric
        until, known = self._known.get((host, port), (0.0, deque()))
        if until < asyncio.get_running_loop().time():
            known = deque(await asyncio.shield(self._lookup(host, port)))
        addresses = list(known)
        known.rotate(-1)
        return addresses

    def _lookup(self, host: str, port: int) -> asyncio.Future[list[AddrInfoType]]:
        lookup = self._lookups.get((host, port))
        if lookup is None:
            lookup = self._lookups[host, port] = asyncio.ensure_future(look_up(host, port))
            lookup.add_done_callback(partial(self._remember, (host, port)))
        return lookup

    def _remember(self, name: tuple[str, int], lookup: asyncio.Future[list[AddrInfoType]]) -> None:
        del self._lookups[name]
        if not lookup.cancelled() and lookup.exception() is None:
            until = asyncio.get_running_loop().time() + _REMEMBERED_SECONDS
            self._known[name] = (until, deque(lookup.result()))


async def look_up(host: str, port: int) -> list[AddrInfoType]:
    loop, flags = asyncio.get_running_loop(), socket.AI_ADDRCONFIG
    return [*await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)]


def _numeric(host: str, port: int) -> list[AddrInfoType] | None:
    """The address that the host is, without asking anybody; None where it is a name."""
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    try:
        return [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)]
    except (socket.gaierror, UnicodeError):
        return None
