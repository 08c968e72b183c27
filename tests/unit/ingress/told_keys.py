"""Keys as the ledger would tell of them, for the door's authentication."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ingress.authentication import Authentication
from shared.clock import ManualClock
from shared.errors import LedgerUnavailable
from shared.identifiers import key_digest
from shared.messages.tenant import KeyScope, Tenant
from shared.persistence.key_records import Opened

TENANT = Tenant("ten_1", "acme")
KEY = "Bearer fb_good"
BAD = key_digest("fb_bad")
TORN = key_digest("fb_torn")
OTHER_TENANT = Tenant("ten_2", "beta")
OTHER_KEY = "Bearer fb_other"
OTHER = key_digest("fb_other")
NAMES = {OTHER: "fb_other", key_digest("fb_good"): "fb_good", BAD: "fb_bad"}


class Keys:
    """Knows all keys but one, and counts who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.statements = 0
        self.revoked = False
        self.away = False
        self.frozen: asyncio.Event | None = None
        self._is_asked = asyncio.Event()

    async def until_asked(self, times: int) -> None:
        """Returns once so many keys, or more, have been asked for."""
        async with asyncio.timeout(60):
            while len(self.asked) < times:
                self._is_asked.clear()
                await self._is_asked.wait()

    async def by_digests(self, digests: Sequence[str]) -> dict[str, Opened | Exception]:
        self.asked += [NAMES.get(digest, digest) for digest in digests]
        self.statements += 1
        self._is_asked.set()
        revoked = self.revoked
        if self.frozen is not None:
            await self.frozen.wait()
        await asyncio.sleep(0)
        if self.away:
            raise LedgerUnavailable("away")
        unreadable = ValueError("unreadable")
        return {
            digest: unreadable if digest == TORN else Opened(_owner(digest), KeyScope.PRODUCER)
            for digest in digests
            if digest != BAD and not revoked
        }


def authentication_of(
    keys: Keys, clock: ManualClock, *, cache_seconds: float = 10.0, timeout_seconds: float = 60.0
) -> Authentication:
    """Patient: a full collection of the test process's garbage takes a while."""
    return Authentication(
        keys,  # type: ignore[arg-type]
        clock,
        cache_seconds=cache_seconds,
        timeout_seconds=timeout_seconds,
    )


def _owner(digest: str) -> Tenant:
    return OTHER_TENANT if digest == OTHER else TENANT


async def turns_of_the_loop() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
