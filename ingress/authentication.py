"""API key -> tenant."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from ingress.patience import Patience, too_late
from shared.accepting.entrance import key_of, may_not_post, unknown_key
from shared.clock import Clock
from shared.errors import Unavailable
from shared.identifiers import key_digest
from shared.messages.tenant import POSTING, KeyScope, Tenant
from shared.persistence.key_records import Opened
from shared.persistence.tenants import TenantRepository
from shared.resilience.group_commit import GroupCommit

CAPACITY: Final = 100_000
UNKNOWN_CAPACITY: Final = 10_000
_FRESH_SHARE: Final = 0.5
"""Of the time for which a key is remembered; used after that, it is asked for again behind."""
_PAUSE_SHARE: Final = 0.01
"""Of the same time, between two statements that nobody waits for: what comes meanwhile waits."""


class Caller(NamedTuple):
    """Who sends a request, and what its key opens.

    `principals` are who may see documents of the index for it: None sees all of its tenant's, and
    an empty tuple those that name no readers.
    """

    tenant: Tenant
    scope: KeyScope
    principals: tuple[str, ...] | None = None
    delegates: bool = False


class _Known(NamedTuple):
    caller: Caller
    fresh_until: float
    """Infinite once it is asked for again."""
    until: float

    def is_of(self, tenant_id: str) -> bool:
        return self.caller.tenant.id == tenant_id


class Authentication:
    """Knows callers by their keys, and remembers what the ledger said for `cache_seconds`.

    Keys in use are asked for again before their time is over, behind the requests that they open,
    and many in one statement. Unknown keys are remembered as well, apart from the known ones, so
    that guessing neither loads the ledger twice nor crowds out who belongs here. Keys are kept as
    digests.

    It listens to what is published of tenants: from then on nothing is believed that was known of
    their keys. What is not heard is known when `cache_seconds` are over, whatever is lost.
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
        self._fresh_seconds = cache_seconds * _FRESH_SHARE
        self._pause_seconds = cache_seconds * _PAUSE_SHARE
        self._stale: list[str] = []
        self._pausing = False
        self._doubted_until = -math.inf
        self._changed_meanwhile: set[str] = set()
        self._patience = Patience(timeout_seconds)
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._unknown: OrderedDict[str, float] = OrderedDict()
        self._asking: dict[str, asyncio.Future[Caller | None]] = {}
        self._questions = GroupCommit(self._look_up)

    async def caller(self, authorization: str | None, api_key: str | None = None) -> Caller:
        """Whose request this is, by its `Authorization` header, or without one by its `x-api-key`.

        Raises Unauthenticated, Forbidden for a key of the console alone, or LedgerUnavailable where
        nobody can tell.
        """
        digest = key_digest(key_of(authorization, api_key))
        now = self._clock.monotonic()
        known = self._known.get(digest)
        if known is not None and known.until > now:
            if known.fresh_until <= now or known.fresh_until <= self._doubted_until:
                self._refresh(digest, known)
            return _posting(known.caller)
        if self._unknown.get(digest, 0.0) > now:
            raise unknown_key()
        caller = await self._ask(digest)
        if caller is None:
            raise unknown_key()
        return _posting(caller)

    def hear(self, said: bytes) -> None:
        """Believe nothing of this tenant's keys any more: one of them or its plan has changed."""
        tenant_id = said.decode("ascii", "replace")
        self._changed_meanwhile.add(tenant_id)
        # Whoever comes from now on must not be given what was asked for before.
        self._asking.clear()
        for digest in [each for each, known in self._known.items() if known.is_of(tenant_id)]:
            del self._known[digest]

    def look(self) -> None:
        """Ask for each key again at its next use: something may have changed unheard."""
        self._doubted_until = self._clock.monotonic() + self._fresh_seconds

    def _refresh(self, digest: str, known: _Known) -> None:
        self._known[digest] = known._replace(fresh_until=math.inf)
        self._stale.append(digest)
        if not self._pausing:
            self._ask_again()

    def _ask_again(self) -> None:
        stale, self._stale = self._stale, []
        with suppress(Unavailable):  # too many wait: a key is asked for when its time is over
            for digest in stale:
                self._questions.tell(digest)
        self._pausing = bool(stale)
        if stale:
            asyncio.get_running_loop().call_later(self._pause_seconds, self._ask_again)

    async def _ask(self, digest: str) -> Caller | None:
        asking = self._asking.get(digest)
        if asking is None:
            asking = self._asking[digest] = self._questions.submit(digest)
            asking.add_done_callback(lambda answered: self._forget(digest, answered))
        # Behind a frozen ledger a queue of groups waits, each for as long as the one before it.
        # Whoever hangs up leaves the others their answer.
        done, _ = await asyncio.wait({asking}, timeout=self._patience.seconds)
        if not done:
            raise too_late()
        return asking.result()

    def _forget(self, digest: str, answered: asyncio.Future[Caller | None]) -> None:
        if self._asking.get(digest) is answered:
            del self._asking[digest]
        if not answered.cancelled():
            answered.exception()  # it may be that nobody waits for it any more

    async def _look_up(self, digests: list[str]) -> Sequence[Caller | Exception | None]:
        asked_at = self._clock.monotonic()
        self._changed_meanwhile.clear()
        found = await self._patience.wait(self._tenants.by_digests(digests))
        return [self._remember(digest, found.get(digest), asked_at) for digest in digests]

    def _remember(
        self, digest: str, found: Opened | Exception | None, asked_at: float
    ) -> Caller | Exception | None:
        if isinstance(found, Exception):
            return found
        until = asked_at + self._cache_seconds
        self._known.pop(digest, None)
        if found is None:
            self._unknown[digest] = until
            _bound(self._unknown, UNKNOWN_CAPACITY)
            return None
        caller = Caller(*found)
        if caller.tenant.id not in self._changed_meanwhile:
            self._known[digest] = _Known(caller, asked_at + self._fresh_seconds, until)
            _bound(self._known, CAPACITY)
        return caller


def _posting(caller: Caller) -> Caller:
    if caller.scope not in POSTING:
        raise may_not_post(caller.scope)
    return caller


def _bound(cache: OrderedDict[str, Any], capacity: int) -> None:
    while len(cache) > capacity:
        cache.popitem(last=False)
