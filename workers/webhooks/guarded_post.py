"""One POST to a server that somebody named: checked, bounded, and never led elsewhere."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from yarl import URL

from shared.errors import InvalidRequest
from shared.telemetry.metrics import installed_version
from shared.webhooks.address_guard import AddressGuard, ForbiddenAddress
from workers.providers.wire.http.connection import BrokenAnswerError
from workers.providers.wire.http.target import Target
from workers.providers.wire.refusals.retry_after import retry_after
from workers.webhooks.checked_dialling import CheckedDialling

_REST_SECONDS: Final = 0.25
"""The answer's body is of no interest; it may end in peace for so long."""
_LONGEST_ERROR: Final = 300
_GONE: Final = 410


class PostOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; `error` is None where the server took it.

    `is_final` says that no other try would help, `wait_seconds` that the server asked for so long
    a pause at least.
    """

    status: int | None = None
    error: str | None = None
    is_final: bool = False
    wait_seconds: float = 0.0


class GuardedPost:
    """Sends JSON. It asks no proxy and follows no redirect; of an answer it reads the head.

    The address that is checked is the one that is connected to: a name is resolved once for each
    try, and each of its addresses has to be allowed.
    """

    def __init__(
        self, guard: AddressGuard, *, timeout_seconds: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._guard = guard
        self._timeout_seconds = timeout_seconds
        self._dialling = CheckedDialling(guard, tls)

    async def send(
        self, url: str, body: bytes, headers: Callable[[], Mapping[str, str]] | None = None
    ) -> PostOutcome:
        """What came of it; never raises but when it is cancelled. `headers` are asked for when the
        URL has been found good."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, wait = await self._post(url, body, {} if headers is None else headers())
            return PostOutcome(
                status=status, error=_refusal(status), is_final=status == _GONE, wait_seconds=wait
            )
        except TimeoutError:
            error = f"It did not answer within {self._timeout_seconds:g} s."
        except (ForbiddenAddress, InvalidRequest) as refused:
            error = refused.message
        except BrokenAnswerError as broken:
            error = f"It broke the connection, or does not speak HTTP: {broken.message}"
        except (OSError, RuntimeError, ValueError) as failed:
            # A RuntimeError is uvloop's, about a connection; a ValueError a name's that is none.
            error = f"It cannot be reached: {failed}"
        return PostOutcome(error=error[:_LONGEST_ERROR])

    async def _post(self, url: str, body: bytes, signed: Mapping[str, str]) -> tuple[int, float]:
        """The status, and how long the server asks to wait."""
        self._guard.check_url(url)  # what is allowed may have changed since
        headers = {
            "User-Agent": f"Forebay/{installed_version()}",
            "Content-Type": "application/json",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **signed,
        }
        target = Target.of(URL(url), headers, lambda _: [])
        connection = await self._dialling.connect(target.origin)
        try:
            length = f"Content-Length: {len(body)}\r\n\r\n".encode()
            connection.send(target.head + length, body, is_kept=False)
            while not connection.status:
                await connection.arrival()
            wait = retry_after(connection.headers)
            return connection.status, wait or 0.0
        finally:
            connection.leave(rest_within_seconds=_REST_SECONDS if connection.status else 0.0)


def _refusal(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed. Name the address they lead to."
    if status == _GONE:
        return f"It answered {status}: it wants this no more."
    return f"It answered {status}."
