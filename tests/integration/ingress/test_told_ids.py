"""No id is told that does not exist, in whatever order doors die and Redis freezes and forgets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.ingress.mortal_doors import MortalDoors
from tests.integration.ingress.told_ids import ToldIds
from tests.servers.redis import RedisServer


@pytest.fixture
def doors(own_redis: RedisServer, migrated_sqlite_url: str) -> Iterator[MortalDoors]:
    opened = MortalDoors(own_redis, migrated_sqlite_url)
    yield opened
    opened.close()


def test_of_one_key_one_id_is_told_and_it_exists(doors: MortalDoors) -> None:
    ToldIds.doors = doors
    run_state_machine_as_test(
        ToldIds,
        settings=settings(
            max_examples=12,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_key_that_a_dead_door_left_in_redis_leads_to_the_message_that_was_committed(
    doors: MortalDoors,
) -> None:
    doors.post_and_die("order-1", is_committed=False)
    doors.freeze()
    told = doors.post("order-1")
    doors.thaw()
    for _ in range(2):
        doors.replace_door()
        assert doors.post("order-1") == told
    assert told is not None
    assert doors.exists(told)
