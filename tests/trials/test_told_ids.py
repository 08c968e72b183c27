"""Idempotency through a hundred random rows of dead doors and troubles of Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.ingress.mortal_doors import MortalDoors
from tests.integration.ingress.told_ids import ToldIds
from tests.servers.redis import RedisServer


@pytest.fixture(params=["migrated_postgres_url", "migrated_sqlite_url"])
def doors(own_redis: RedisServer, request: pytest.FixtureRequest) -> Iterator[MortalDoors]:
    opened = MortalDoors(own_redis, request.getfixturevalue(request.param))
    yield opened
    opened.close()


@pytest.mark.timeout(1_800)
def test_of_one_key_one_id_is_told_and_it_exists(doors: MortalDoors) -> None:
    ToldIds.doors = doors
    run_state_machine_as_test(
        ToldIds,
        settings=settings(
            max_examples=100,
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
