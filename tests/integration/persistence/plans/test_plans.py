"""No statement on a timer or per message reads the backlog, whatever the statistics say."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Final

import pytest

import shared.conversations
import shared.costs
import shared.erasing
import shared.files
import shared.index
import shared.persistence
from shared.clock import ManualClock
from shared.persistence.engine import Database
from shared.persistence.ledger.lane_load import COUNT_LIMIT
from shared.redis.client import open_redis
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings, RedisSettings

from .crowd import STATISTICS, fill
from .reading import ReadMeter
from .registry import BY_HAND, ELSEWHERE, PROBES, FullLedger

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
    redis = open_redis(RedisSettings(url=ServerUrl(redis_url)))
    full = FullLedger(database, settings, clock, redis)
    await full.sweeps.wake_again("resp_none")  # connects
    read = {}
    for name, probe in PROBES.items():
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


def test_every_statement_is_watched_or_typed_by_a_person() -> None:
    watched = {name.split(" ")[0] for name in PROBES} | ELSEWHERE.keys()
    typed = {f"{owner}.{name}" for owner, names in BY_HAND.items() for name in names}
    assert _statements() - watched - typed == set()
    assert (watched | typed) - _statements() == set()


def _statements() -> set[str]:
    """The coroutine methods of everything that is given a Database."""
    found = set()
    for package in (
        shared.persistence,
        shared.costs,
        shared.files,
        shared.conversations,
        shared.erasing,
        shared.index,
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
