"""API key -> tenant."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from typing import Any, Final, NamedTuple

from ingress.patience import Patience
from shared.clock import Clock
from shared.errors import Unauthenticated
from shared.messages.tenant import KeyScope, Tenant
from shared.persistence.tenants import KEY_PREFIX, TenantRepository

CAPACITY: Final = 10_000
_LONGEST_KEY: Final = 256
_SCHEME: Final = "bearer "


class Caller(NamedTuple):
    """Who sends a request, and what its key opens."""

    tenant: Tenant
    scope: KeyScope


class Authentication:
    """Knows callers by their keys, and remembers what the ledger said for `cache_seconds`.

    Unknown keys are remembered as well, apart from the known ones, so that guessing neither
    loads the ledger twice nor crowds out who belongs here. Keys are kept as digests.
    """

    def __init__(
        self,
        tenants: TenantRepository,
        clock: Clock,
        *,
        cache_seconds: float,
        timeout_seconds: float,
    ) -> None:
        self._tenants = tenants
        self._clock = clock
        self._cache_seconds = cache_seconds
        self._patience = Patience(timeout_seconds)
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._unknown: OrderedDict[bytes, float] = OrderedDict()
        self._asking: dict[bytes, asyncio.Task[Caller | None]] = {}

    async def caller(self, authorization: str | None) -> Caller:
        """Whose request this is, by its `Authorization` header.

        Raises Unauthenticated, or LedgerUnavailable where nobody can tell.
        """
        key = _key_of(authorization)
        digest = hashlib.sha256(key.encode("latin-1", "replace")).digest()
        now = self._clock.monotonic()
        known = self._known.get(digest)
        if known is not None and known[0] > now:
            return known[1]
        if self._unknown.get(digest, 0.0) > now:
            raise _unknown_key()
        caller = await self._ask(key, digest)
        if caller is None:
            raise _unknown_key()
        return caller

    async def _ask(self, key: str, digest: bytes) -> Caller | None:
        asking = self._asking.get(digest)
        if asking is None:
            asking = self._asking[digest] = asyncio.create_task(self._look_up(key, digest))
            asking.add_done_callback(lambda _: self._asking.pop(digest, None))
        # Whoever hangs up leaves the others their answer.
        return await asyncio.shield(asking)

    async def _look_up(self, key: str, digest: bytes) -> Caller | None:
        found = await self._patience.wait(self._tenants.by_key(key))
        until = self._clock.monotonic() + self._cache_seconds
        if found is None:
            self._known.pop(digest, None)
            self._unknown[digest] = until
            _bound(self._unknown)
            return None
        caller = Caller(*found)
        self._known[digest] = (until, caller)
        _bound(self._known)
        return caller


def _key_of(authorization: str | None) -> str:
    if not authorization:
        raise Unauthenticated("No API key. Send it as 'Authorization: Bearer fb_…'.")
    if authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise Unauthenticated("Unknown authorization scheme. Use 'Authorization: Bearer fb_…'.")
    key = authorization[len(_SCHEME) :].strip()
    if not key.startswith(KEY_PREFIX) or len(key) > _LONGEST_KEY or not key.isascii():
        raise _unknown_key()
    return key


def _unknown_key() -> Unauthenticated:
    return Unauthenticated("The API key is unknown, expired or revoked. Use a valid one.")


def _bound(cache: OrderedDict[bytes, Any]) -> None:
    while len(cache) > CAPACITY:
        cache.popitem(last=False)
