"""The connections to all providers: kept open between calls, made anew where none is free."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final, Self

from aiohappyeyeballs import AddrInfoType, pop_addr_infos_interleave, start_connection
from yarl import URL

from shared.telemetry.metrics import installed_version
from workers.providers.error_class import ErrorClass, TimeoutPhase
from workers.providers.failures import ProviderTimeoutError, TransientProviderError
from workers.providers.wire.http.connection import HttpConnection
from workers.providers.wire.http.host_names import HostNames
from workers.providers.wire.http.target import HttpOrigin, Target

_KEEP_ALIVE_SECONDS: Final = 30.0
_SWEEP_SECONDS: Final = 5.0
_NEXT_ADDRESS_SECONDS: Final = 0.25
"""After so long without a connection the next address is tried beside it (RFC 8305)."""
_CLOSE_SECONDS: Final = 1.0

_HEADERS: Final = {
    "Accept": "*/*",
    # An answer is small and bounded by us; a compressed one could not be bounded.
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
}


class ProviderConnections:
    """What all providers of a process share, on one loop; closed with its context.

    The number of connections is not bounded here: concurrency is bounded by the worker, and a
    call that waits for a connection would look like a provider that does not accept one.
    """

    def __init__(self) -> None:
        # Servers are told who asks.
        self._headers = {"User-Agent": f"Forebay/{installed_version()}", **_HEADERS}
        self._free: dict[HttpOrigin, list[HttpConnection]] = {}
        self._all: set[HttpConnection] = set()
        self._is_empty = asyncio.Event()
        self._sweeping: asyncio.TimerHandle | None = None
        self._names = HostNames()
        self._tls: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes all of them, whatever is under way."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in self._all:
            connection.abort()
        if self._all:
            self._is_empty.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._is_empty.wait()

    def target(self, url: URL, headers: Mapping[str, str], *, method: str = "POST") -> Target:
        """To be asked over these connections; raises `ValueError` where nothing can be sent to it.

        What takes long for the first connection is done now.
        """
        target = Target.of(url, {**self._headers, **headers}, self._free_of, method=method)
        if target.origin.is_secure and self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return target

    async def connect(
        self, target: Target, *, within_seconds: float, provider: str
    ) -> HttpConnection:
        """A new one; all addresses of the name are tried. Raises `TransientProviderError` where
        the server cannot be reached or does not prove who it is, and `ProviderTimeoutError`."""
        timeout = asyncio.timeout(within_seconds)
        try:
            async with timeout:
                return await self._dialled(target)
        except (OSError, UnicodeError) as error:
            if timeout.expired():
                raise ProviderTimeoutError(
                    f"{provider} did not accept a connection within {within_seconds:g} s",
                    phase=TimeoutPhase.CONNECT,
                ) from error
            raise TransientProviderError(
                f"{provider} cannot be reached: {str(error) or type(error).__name__}",
                error_class=ErrorClass.CONNECTION,
            ) from error

    async def _dialled(self, target: Target) -> HttpConnection:
        addresses = await self._names.addresses(target.origin.host, target.origin.port)
        while True:
            try:
                return await self._connected(target, addresses)
            except (OSError, RuntimeError) as error:
                pop_addr_infos_interleave(addresses, 1)
                if not addresses:
                    # uvloop's RuntimeError too is about a connection.
                    raise error if isinstance(error, OSError) else OSError(str(error)) from error

    async def _connected(self, target: Target, addresses: list[AddrInfoType]) -> HttpConnection:
        host, is_secure = target.origin.host, target.origin.is_secure
        sock = await start_connection(
            addresses, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1
        )
        _, connection = await asyncio.get_running_loop().create_connection(
            partial(HttpConnection, target.free, self._lost),
            sock=sock,
            ssl=self._tls if is_secure else None,
            server_hostname=host.rstrip(".") if is_secure else None,
        )
        if not connection.is_open:
            raise ConnectionResetError("it was closed as soon as it stood")
        self._all.add(connection)
        if self._sweeping is None:
            self._sweep()
        return connection

    def _lost(self, connection: HttpConnection) -> None:
        self._all.discard(connection)
        if not self._all:
            self._is_empty.set()

    def _free_of(self, origin: HttpOrigin) -> list[HttpConnection]:
        return self._free.setdefault(origin, [])

    def _sweep(self) -> None:
        """Close what nobody has used for long, now and from time to time."""
        loop = asyncio.get_running_loop()
        latest = loop.time() - _KEEP_ALIVE_SECONDS
        for free in self._free.values():
            used = [each for each in free if each.is_open and each.free_since > latest]
            for connection in set(free).difference(used):
                connection.abort()
            free[:] = used
        self._sweeping = loop.call_later(_SWEEP_SECONDS, self._sweep) if self._all else None
