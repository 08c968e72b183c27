from __future__ import annotations

import asyncio

import pytest

from ingress.authentication import Authentication, Caller
from shared.clock import ManualClock
from shared.errors import LedgerUnavailable, Unauthenticated
from shared.messages.tenant import KeyScope
from tests.unit.ingress.told_keys import KEY, TENANT, Keys, authentication_of, turns_of_the_loop


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def authentication(keys: Keys, clock: ManualClock) -> Authentication:
    return authentication_of(keys, clock)


async def test_a_known_key_is_asked_for_once_within_the_cache_time(
    authentication: Authentication, keys: Keys, clock: ManualClock
) -> None:
    for _ in range(3):
        assert await authentication.caller(KEY) == Caller(TENANT, KeyScope.PRODUCER)
    assert keys.asked == ["fb_good"]
    clock.advance(10.1)
    await authentication.caller(KEY)
    assert keys.asked == ["fb_good"] * 2


async def test_a_key_in_use_is_asked_for_again_behind_its_requests(
    authentication: Authentication, keys: Keys, clock: ManualClock
) -> None:
    await authentication.caller(KEY)
    clock.advance(6)
    keys.frozen = asyncio.Event()
    for _ in range(3):
        await authentication.caller(KEY)
    await turns_of_the_loop()
    assert keys.asked == ["fb_good"] * 2
    keys.frozen.set()
    await turns_of_the_loop()
    clock.advance(6)
    await authentication.caller(KEY)
    assert keys.statements == 2, "it was known for another ten seconds"


async def test_a_known_key_opens_also_where_too_many_wait_to_be_asked_for(
    authentication: Authentication, clock: ManualClock
) -> None:
    await authentication.caller(KEY)
    await vars(authentication)["_questions"].close()
    clock.advance(6)

    assert (await authentication.caller(KEY)).tenant == TENANT


async def test_many_keys_are_asked_for_together(keys: Keys, clock: ManualClock) -> None:
    authentication = authentication_of(keys, clock)
    await asyncio.gather(*(authentication.caller(f"{KEY}{each}") for each in range(200)))
    assert len(keys.asked) == 200
    assert keys.statements <= 2


async def test_keys_in_use_are_asked_for_again_together(keys: Keys, clock: ManualClock) -> None:
    authentication = authentication_of(keys, clock, cache_seconds=1000.0)
    await asyncio.gather(*(authentication.caller(f"{KEY}{each}") for each in range(100)))
    statements = keys.statements
    clock.advance(600)
    for each in range(100):
        await authentication.caller(f"{KEY}{each}")
        await turns_of_the_loop()
    # One at once, and the next after ten seconds.
    assert keys.statements - statements < 10


async def test_what_waits_to_be_asked_for_again_is_asked_for_after_a_pause(
    keys: Keys, clock: ManualClock
) -> None:
    authentication = authentication_of(keys, clock, cache_seconds=1.0)
    for _ in range(2):
        await authentication.caller(f"{KEY}1")
        await authentication.caller(f"{KEY}2")
        clock.advance(0.6)
    # One of the two at once, and the other by itself.
    await keys.until_asked(4)
    assert len({*keys.asked}) == 2


async def test_a_key_that_cannot_be_read_is_an_error_for_itself_alone(
    authentication: Authentication,
) -> None:
    headers = (KEY, "Bearer fb_torn", "Bearer fb_bad", "Bearer fb_other")
    callers = (authentication.caller(each) for each in headers)
    said = await asyncio.gather(*callers, return_exceptions=True)

    assert [type(each) for each in said] == [Caller, ValueError, Unauthenticated, Caller]


async def test_a_key_may_come_in_x_api_key_and_authorization_goes_before_it(
    authentication: Authentication,
) -> None:
    bare = KEY.removeprefix("Bearer ")
    assert (await authentication.caller(None, bare)).tenant == TENANT
    assert (await authentication.caller(KEY, "sk-ant-another")).tenant == TENANT
    for authorization, api_key in ((None, "sk-ant-another"), ("Basic eA==", bare), (None, "")):
        with pytest.raises(Unauthenticated):
            await authentication.caller(authorization, api_key)


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


async def test_a_ledger_that_is_frozen_is_given_up_in_time(keys: Keys, clock: ManualClock) -> None:
    authentication = authentication_of(keys, clock, timeout_seconds=0.05)
    keys.frozen = asyncio.Event()
    with pytest.raises(LedgerUnavailable):
        await authentication.caller(KEY)


async def test_a_crowd_gives_a_frozen_ledger_up_as_soon_as_one_does(
    keys: Keys, clock: ManualClock
) -> None:
    authentication = authentication_of(keys, clock, timeout_seconds=0.05)
    keys.frozen = asyncio.Event()
    crowd = (authentication.caller(f"{KEY}{each}") for each in range(2_000))
    said = await asyncio.gather(*crowd, return_exceptions=True)

    assert {type(each) for each in said} == {LedgerUnavailable}
    assert keys.statements <= 3, "nobody waits for one group after another"
    keys.frozen.set()
    await vars(authentication)["_questions"].close()


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
