"""What the door believes of keys when they change, when it may have missed that, and how many."""

from __future__ import annotations

import asyncio

import pytest

from ingress.authentication import Authentication
from shared.clock import ManualClock
from shared.errors import LedgerUnavailable, Unauthenticated
from shared.identifiers import key_digest
from tests.unit.ingress.told_keys import (
    KEY,
    OTHER_KEY,
    OTHER_TENANT,
    TENANT,
    Keys,
    authentication_of,
    turns_of_the_loop,
)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def authentication(keys: Keys, clock: ManualClock) -> Authentication:
    return authentication_of(keys, clock)


async def test_a_change_that_is_heard_makes_the_tenants_keys_unknown_and_no_others(
    authentication: Authentication, keys: Keys
) -> None:
    for key in (KEY, OTHER_KEY):
        await authentication.caller(key)
    keys.revoked = True
    authentication.hear(b"ten_1")
    authentication.hear(b"\xff no id")

    with pytest.raises(Unauthenticated):
        await authentication.caller(KEY)
    assert (await authentication.caller(OTHER_KEY)).tenant == OTHER_TENANT
    assert keys.asked == ["fb_good", "fb_other", "fb_good"]


async def test_what_was_asked_for_before_a_change_is_given_to_nobody_who_comes_after_it(
    authentication: Authentication, keys: Keys
) -> None:
    keys.frozen = asyncio.Event()
    before = asyncio.create_task(authentication.caller(KEY))
    await turns_of_the_loop()
    keys.revoked = True
    authentication.hear(b"ten_1")
    after = asyncio.create_task(authentication.caller(KEY))
    await turns_of_the_loop()
    keys.frozen.set()
    await before
    with pytest.raises(Unauthenticated):
        await after
    with pytest.raises(Unauthenticated):
        await authentication.caller(KEY)


async def test_what_was_asked_for_before_a_change_is_not_remembered(
    authentication: Authentication, keys: Keys
) -> None:
    keys.frozen = asyncio.Event()
    asking = asyncio.create_task(authentication.caller(KEY))
    await turns_of_the_loop()
    keys.revoked = True
    authentication.hear(b"ten_1")
    keys.frozen.set()
    await asking
    with pytest.raises(Unauthenticated):
        await authentication.caller(KEY)


async def test_what_may_have_been_missed_is_asked_for_behind_the_next_use_and_once(
    authentication: Authentication, keys: Keys, clock: ManualClock
) -> None:
    await authentication.caller(KEY)
    clock.advance(1)
    authentication.look()
    keys.revoked, keys.frozen = True, asyncio.Event()
    for _ in range(3):
        await authentication.caller(KEY)
    await turns_of_the_loop()
    assert keys.asked == ["fb_good"] * 2
    keys.frozen.set()
    await turns_of_the_loop()
    with pytest.raises(Unauthenticated):
        await authentication.caller(KEY)


async def test_a_known_key_opens_without_the_ledger_until_its_time_is_over(
    authentication: Authentication, keys: Keys, clock: ManualClock
) -> None:
    await authentication.caller(KEY)
    keys.away = True
    for _ in range(3):
        clock.advance(3)
        assert (await authentication.caller(KEY)).tenant == TENANT
        await turns_of_the_loop()
    clock.advance(1.1)
    with pytest.raises(LedgerUnavailable):
        await authentication.caller(KEY)


async def test_of_too_many_keys_those_in_use_stay_known(
    authentication: Authentication, keys: Keys, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingress.authentication.CAPACITY", 3)
    for key in (KEY, f"{KEY}1", f"{KEY}2"):
        await authentication.caller(key)
    clock.advance(6)
    await authentication.caller(KEY)
    await turns_of_the_loop()
    await authentication.caller(f"{KEY}3")
    asked = len(keys.asked)
    for key in (KEY, f"{KEY}2", f"{KEY}3"):
        await authentication.caller(key)
    await keys.until_asked(asked + 1)
    await turns_of_the_loop()

    assert keys.asked[asked:] == [key_digest("fb_good2")], "only what grew old, behind its use"
    assert len(vars(authentication)["_known"]) == 3
