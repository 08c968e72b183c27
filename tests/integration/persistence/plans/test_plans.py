"""No statement on a timer or per message reads the backlog, whatever the statistics say."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Final

import pytest
from sqlalchemy import delete

import shared.alerts
import shared.batches
import shared.conversations
import shared.costs
import shared.erasing
import shared.feedback
import shared.files
import shared.index
import shared.outcomes
import shared.persistence
import shared.rollups
import shared.schedules
import shared.sessions
import shared.views
import shared.webhooks
from shared.clock import ManualClock
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.lane_load import COUNT_LIMIT
from shared.persistence.statements import transaction
from shared.persistence.tables import attempt, message, worker_lease
from shared.redis.client import open_redis
from shared.settings.servers import LedgerSettings
from tests.integration.patience import patient_settings

from .batch_probes import OF_WHOLE_BATCHES, PARTS_OF_BATCHES, WATCHED_BATCHES
from .crowd import STATISTICS, fill, fill_more, leave_unwatched
from .reading import ReadMeter
from .registry import PROBES, FullLedger
from .unprobed import BY_HAND, ELSEWHERE

READ_AT_MOST: Final = 2_000
"""Rows, for a group or a sweep of 500; each kind of row is there thousands of times."""
LANE_LOADS_READ: Final = 3 * COUNT_LIMIT


@pytest.mark.parametrize("statistics", STATISTICS)
async def test_no_statement_reads_more_than_it_needs(
    database: Database,
    settings: LedgerSettings,
    clock: ManualClock,
    redis_url: str,
    statistics: str,
) -> None:
    await fill(database, clock.now(), statistics=statistics)
    await database.close()
    meter = ReadMeter(database)
    await meter.watch_threads(database)
    redis = open_redis(patient_settings(redis_url))
    full = FullLedger(database, settings, clock, redis)
    await full.sweeps.wake_again("resp_none")  # connects
    read = {}
    for name, probe in (PROBES | WATCHED_BATCHES).items():
        meter.start()
        await probe(full)
        read[name] = meter.rows
    await full.ledger.close()
    await redis.aclose()
    assert any(read.values())
    too_much = {
        name: rows
        for name, rows in read.items()
        if rows > (LANE_LOADS_READ if name == "LaneLoads.lane_loads" else READ_AT_MOST)
    }
    assert not too_much


KEPT: Final = ("AcceptGroup.flush", "ClaimGroup.flush", "ClaimGroup.renew", "SettleGroup.flush")


async def test_a_plan_that_is_kept_from_an_empty_ledger_reads_no_more_of_a_full_one(
    database: Database, settings: LedgerSettings, clock: ManualClock, redis_url: str
) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite makes its plans without looking at a table's size.")
    meter = ReadMeter(database)
    redis = open_redis(patient_settings(redis_url))
    full = FullLedger(database, settings, clock, redis)
    beside = open_database(settings)
    await leave_unwatched(beside)
    for name in KEPT * 3:  # a connection is kept after its first statement
        await PROBES[name](full)
    async with transaction(beside.durable) as connection:
        for table in (message, attempt, worker_lease):
            await connection.execute(delete(table))
    await fill_more(beside, clock.now(), statistics="absent")
    await beside.close()
    read = {}
    for name in KEPT:
        meter.start()
        await PROBES[name](full)
        read[name] = meter.rows
    await full.ledger.close()
    await redis.aclose()
    modes = await database.roads.relaxed.rows("SHOW plan_cache_mode", {})
    assert modes == [("force_generic_plan",)]
    assert all(read.values())
    assert not {name: rows for name, rows in read.items() if rows > READ_AT_MOST}


def test_every_statement_is_watched_or_typed_by_a_person() -> None:
    watched = {name.split(" ")[0] for name in PROBES} | ELSEWHERE.keys()
    watched |= WATCHED_BATCHES.keys() | PARTS_OF_BATCHES.keys()
    typed = {
        f"{owner}.{name}" for owner, names in (BY_HAND | OF_WHOLE_BATCHES).items() for name in names
    }
    assert _statements() - watched - typed == set()
    assert (watched | typed) - _statements() == set()


def _statements() -> set[str]:
    """The coroutine methods of everything that is given a Database."""
    found = set()
    for package in (
        shared.persistence,
        shared.alerts,
        shared.batches,
        shared.costs,
        shared.files,
        shared.conversations,
        shared.erasing,
        shared.feedback,
        shared.outcomes,
        shared.index,
        shared.rollups,
        shared.schedules,
        shared.sessions,
        shared.views,
        shared.webhooks,
    ):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" in module.name:
                continue
            for owner in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(owner) and owner.__module__ == module.name:
                    found |= _methods(owner)
    return found


def _methods(owner: type) -> set[str]:
    if "database" not in inspect.signature(owner).parameters:
        return set()
    return {
        f"{owner.__name__}.{name}"
        for name, member in vars(owner).items()
        if inspect.iscoroutinefunction(member)
        and (name == "__call__" or not name.startswith("_"))
        and name != "close"
    }
