"""Connecting to a tenant's server: what is checked is what is connected to."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

from aiohappyeyeballs import start_connection

from shared.webhooks.address_guard import AddressGuard
from workers.providers.wire.http.connection import HttpConnection
from workers.providers.wire.http.host_names import look_up
from workers.providers.wire.http.target import HttpOrigin

_NEXT_ADDRESS_SECONDS: Final = 0.25


class CheckedDialling:
    """Resolves a name once, checks each of its addresses, and connects to one of these: a name
    that is answered otherwise a moment later changes nothing.

    `tls` is whom to trust; without it the authorities that the machine trusts.
    """

    def __init__(self, guard: AddressGuard, tls: ssl.SSLContext | None) -> None:
        self._guard = guard
        self._tls = tls

    async def connect(self, origin: HttpOrigin) -> HttpConnection:
        """A connection to one of the addresses that were checked.

        Raises ForbiddenAddress, and what asyncio raises where nobody can be reached.
        """
        addresses = await look_up(origin.host, origin.port)
        self._guard.check(origin.host, [str(each[4][0]) for each in addresses])
        sock = await start_connection(
            addresses, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1
        )
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: HttpConnection([], lambda _: None),
            sock=sock,
            ssl=self._encrypting() if origin.is_secure else None,
            server_hostname=origin.host.rstrip(".") if origin.is_secure else None,
        )
        return connection

    def _encrypting(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls
