"""Credits of the lanes on a real Redis."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.dispatch.credit import CREDIT_KEY, Credits, LaneSlots, Taker, Wanted, granted
from shared.errors import RedisRefused
from shared.messages.lane import Lane
from shared.redis.scripts import ScriptRun, run_scripts

INTERACTIVE, STANDARD, BATCH = Lane.INTERACTIVE, Lane.STANDARD, Lane.BATCH
LONG_SECONDS = 600.0


class Bank:
    """The script, asked one call after the other."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.credits = Credits()

    async def run(self, run: ScriptRun) -> Any:
        (outcome,) = await run_scripts(self.redis, [run])
        return outcome

    async def set(self, lanes: Mapping[Lane, LaneSlots], seconds: float = LONG_SECONDS) -> None:
        assert await self.run(self.credits.setting(lanes, lease_seconds=seconds)) == 1

    async def take(self, *wanted: Wanted, taker: Taker = Taker.DOOR) -> dict[Lane, int | None]:
        return granted(await self.run(self.credits.taking(wanted, taker=taker)), wanted)

    async def give(self, ended: Mapping[Lane, int]) -> None:
        await self.run(self.credits.giving(ended.items()))

    async def free(self, lane: Lane) -> int:
        return int(await self.redis.hget(CREDIT_KEY, f"free:{lane}") or 0)


@pytest.fixture
def bank(redis_client: Redis) -> Bank:
    return Bank(redis_client)


async def test_all_may_pass_where_nobody_dispatches_and_nothing_is_written(bank: Bank) -> None:
    assert await bank.take(Wanted(STANDARD, 7), Wanted(BATCH, 2)) == {STANDARD: None, BATCH: None}
    await bank.give({STANDARD: 7})

    assert not await bank.redis.exists(CREDIT_KEY)


async def test_what_is_free_is_granted_once(bank: Bank) -> None:
    await bank.set({STANDARD: LaneSlots(5, 8, has_backlog=False)})

    assert await bank.take(Wanted(STANDARD, 3)) == {STANDARD: 3}
    assert await bank.take(Wanted(STANDARD, 3)) == {STANDARD: 2}
    assert await bank.take(Wanted(STANDARD, 3)) == {STANDARD: 0}
    assert await bank.free(STANDARD) == 0


async def test_each_lane_has_its_own(bank: Bank) -> None:
    await bank.set(
        {
            INTERACTIVE: LaneSlots(4, 4, has_backlog=False),
            STANDARD: LaneSlots(0, 4, has_backlog=False),
        }
    )

    answered = await bank.take(Wanted(STANDARD, 1), Wanted(INTERACTIVE, 1), Wanted(BATCH, 1))

    assert answered == {STANDARD: 0, INTERACTIVE: 1, BATCH: None}


async def test_a_door_gets_nothing_where_messages_are_held_and_the_leader_does(bank: Bank) -> None:
    await bank.set({STANDARD: LaneSlots(5, 8, has_backlog=True)})

    assert await bank.take(Wanted(STANDARD, 3)) == {STANDARD: 0}
    assert await bank.take(Wanted(STANDARD, 3), taker=Taker.LEADER) == {STANDARD: 3}
    assert await bank.free(STANDARD) == 2


async def test_a_door_gets_nothing_of_the_batch_lane_and_the_leader_does(bank: Bank) -> None:
    await bank.set({BATCH: LaneSlots(5, 8, has_backlog=False)})

    assert await bank.take(Wanted(BATCH, 1)) == {BATCH: 0}
    assert await bank.take(Wanted(BATCH, 9), taker=Taker.LEADER) == {BATCH: 5}


async def test_what_comes_back_is_free_again_up_to_the_slots(bank: Bank) -> None:
    await bank.set({STANDARD: LaneSlots(0, 4, has_backlog=False)})

    await bank.give({STANDARD: 3})
    assert await bank.free(STANDARD) == 3
    await bank.give({STANDARD: 3})
    assert await bank.free(STANDARD) == 4


async def test_what_a_door_brings_back_counts_for_what_it_takes(bank: Bank) -> None:
    await bank.set({STANDARD: LaneSlots(0, 4, has_backlog=False)})

    assert await bank.take(Wanted(STANDARD, 3, back=2)) == {STANDARD: 2}
    assert await bank.take(Wanted(STANDARD, 0, back=1)) == {STANDARD: 0}
    assert await bank.free(STANDARD) == 1


async def test_what_comes_back_to_a_lane_with_a_backlog_is_the_leaders(bank: Bank) -> None:
    await bank.set({STANDARD: LaneSlots(0, 4, has_backlog=True)})

    assert await bank.take(Wanted(STANDARD, 3, back=2)) == {STANDARD: 0}
    assert await bank.free(STANDARD) == 2


async def test_a_debt_is_paid_before_anything_is_granted(bank: Bank) -> None:
    await bank.set({STANDARD: LaneSlots(-2, 4, has_backlog=False)})

    assert await bank.take(Wanted(STANDARD, 1)) == {STANDARD: 0}
    assert await bank.take(Wanted(STANDARD, 1), taker=Taker.LEADER) == {STANDARD: 0}
    assert await bank.free(STANDARD) == -2
    await bank.give({STANDARD: 3})
    assert await bank.take(Wanted(STANDARD, 5)) == {STANDARD: 1}


async def test_the_leaders_word_lapses(bank: Bank) -> None:
    await bank.set({STANDARD: LaneSlots(0, 4, has_backlog=True)}, seconds=60.0)
    await bank.take(Wanted(STANDARD, 1, back=1))
    await bank.give({STANDARD: 1})

    # Neither taking nor giving makes it last longer, nor for ever.
    assert 0 < await bank.redis.pttl(CREDIT_KEY) <= 60_000
    await bank.redis.pexpire(CREDIT_KEY, 0)
    assert await bank.take(Wanted(STANDARD, 1)) == {STANDARD: None}


async def test_what_the_leader_leaves_out_is_dispatched_no_more(bank: Bank) -> None:
    await bank.set({lane: LaneSlots(0, 4, has_backlog=False) for lane in Lane})
    await bank.set({STANDARD: LaneSlots(1, 4, has_backlog=False)})

    assert await bank.take(Wanted(INTERACTIVE, 1), Wanted(STANDARD, 2)) == {
        INTERACTIVE: None,
        STANDARD: 1,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"free:standard": "many", "slots:standard": "4"},
        {"free:standard": "3"},
        {"another": "version"},
    ],
)
async def test_figures_that_are_none_hold_nobody(bank: Bank, fields: dict[str, str]) -> None:
    await bank.redis.hset(CREDIT_KEY, mapping=dict[Any, Any](fields))

    assert await bank.take(Wanted(STANDARD, 2)) == {STANDARD: None}
    await bank.give({STANDARD: 2})
    assert await bank.redis.hgetall(CREDIT_KEY) == {
        name.encode(): value.encode() for name, value in fields.items()
    }


async def test_a_key_of_another_type_holds_nobody_and_is_replaced(bank: Bank) -> None:
    await bank.redis.set(CREDIT_KEY, "what an older version kept there")

    asked = Wanted(STANDARD, 2)
    outcome = await bank.run(bank.credits.taking([asked]))
    assert isinstance(outcome, RedisRefused)
    assert granted(outcome, [asked]) == {STANDARD: None}
    await bank.set({STANDARD: LaneSlots(1, 4, has_backlog=False)})
    assert await bank.take(asked) == {STANDARD: 1}


def test_without_redis_all_may_pass() -> None:
    assert granted(None, [Wanted(STANDARD, 2)]) == {STANDARD: None}


async def test_nothing_goes_below_zero_or_above_the_slots_whatever_comes(bank: Bank) -> None:
    random, slots, free = Random(11), 6, 6
    await bank.set({STANDARD: LaneSlots(free, slots, has_backlog=False)})
    for _ in range(500):
        wanted = Wanted(STANDARD, random.randrange(5), random.randrange(3))
        taker = random.choice(list(Taker))
        left = min(free + wanted.back, slots)
        taken = (await bank.take(wanted, taker=taker))[STANDARD]
        assert taken == min(left, wanted.messages)
        free = left - taken
        assert await bank.free(STANDARD) == free
