from __future__ import annotations

import asyncio

import pytest

from ingress.authentication import Authentication, Caller
from shared.clock import ManualClock
from shared.errors import LedgerUnavailable, Unauthenticated
from shared.messages.tenant import KeyScope, Tenant

TENANT = Tenant("ten_1", "acme")
KEY = "Bearer fb_good"


class Keys:
    """Knows one key, and counts who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.revoked = False
        self.away = False
        self.frozen: asyncio.Event | None = None

    async def by_key(self, key: str) -> tuple[Tenant, KeyScope] | None:
        self.asked.append(key)
        if self.frozen is not None:
            await self.frozen.wait()
        await asyncio.sleep(0)
        if self.away:
            raise LedgerUnavailable("away")
        known = key == "fb_good" and not self.revoked
        return (TENANT, KeyScope.PRODUCER) if known else None


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def authentication(keys: Keys, clock: ManualClock) -> Authentication:
    return Authentication(keys, clock, cache_seconds=10.0, timeout_seconds=0.05)  # type: ignore[arg-type]


async def test_a_known_key_is_asked_for_once_within_the_cache_time(
    authentication: Authentication, keys: Keys, clock: ManualClock
) -> None:
    for _ in range(3):
        assert await authentication.caller(KEY) == Caller(TENANT, KeyScope.PRODUCER)
    assert keys.asked == ["fb_good"]
    clock.advance(10.1)
    await authentication.caller(KEY)
    assert keys.asked == ["fb_good"] * 2


async def test_a_revoked_key_is_let_in_no_longer_than_the_cache_time(
    authentication: Authentication, keys: Keys, clock: ManualClock
) -> None:
    await authentication.caller(KEY)
    keys.revoked = True
    clock.advance(9.9)
    await authentication.caller(KEY)
    clock.advance(0.2)
    with pytest.raises(Unauthenticated):
        await authentication.caller(KEY)


async def test_an_unknown_key_is_remembered_as_well(
    authentication: Authentication, keys: Keys
) -> None:
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            await authentication.caller("Bearer fb_bad")
    assert keys.asked == ["fb_bad"]


async def test_a_crowd_with_one_key_asks_once(authentication: Authentication, keys: Keys) -> None:
    await asyncio.gather(*(authentication.caller(KEY) for _ in range(50)))
    assert keys.asked == ["fb_good"]


async def test_whoever_hangs_up_leaves_the_others_their_answer(
    authentication: Authentication, keys: Keys
) -> None:
    first = asyncio.create_task(authentication.caller(KEY))
    second = asyncio.create_task(authentication.caller(KEY))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).tenant == TENANT


async def test_a_ledger_that_is_away_is_not_taken_for_a_bad_key(
    authentication: Authentication, keys: Keys
) -> None:
    keys.away = True
    with pytest.raises(LedgerUnavailable):
        await authentication.caller(KEY)
    keys.away = False
    assert (await authentication.caller(KEY)).tenant == TENANT


async def test_a_ledger_that_is_frozen_is_given_up_in_time(
    authentication: Authentication, keys: Keys
) -> None:
    keys.frozen = asyncio.Event()
    with pytest.raises(LedgerUnavailable):
        await authentication.caller(KEY)


@pytest.mark.parametrize(
    "header", [None, "", "fb_good", "Basic fb_good", "Bearer", "Bearer sk-1", "Bearer fb_\u00e9"]
)
async def test_what_cannot_be_a_key_is_never_looked_up(
    authentication: Authentication, keys: Keys, header: str | None
) -> None:
    with pytest.raises(Unauthenticated):
        await authentication.caller(header)
    assert keys.asked == []


async def test_no_key_is_kept_in_clear(authentication: Authentication) -> None:
    await authentication.caller(KEY)
    assert "fb_good" not in repr(vars(authentication)["_known"])
