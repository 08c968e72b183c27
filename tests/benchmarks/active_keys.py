"""Ten thousand tenants who all send, beside one: what a message costs the door.

Each key sends again within seconds, in its turn. A second door remembers keys for so short a time
that it looks every one up anew, as for a tenant who seldom sends. Whoever is loaded has seen every
key before, and is measured for longer than it remembers any.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import insert

from shared.identifiers import key_digest
from shared.messages.tenant import KeyScope
from shared.persistence.engine import open_database
from shared.persistence.statements import transaction
from shared.persistence.tables import api_key, tenant
from tests.benchmarks.ground.forebay import door, settings_of
from tests.benchmarks.ground.program import Program, metered
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.load.posting import post
from tests.benchmarks.measurement import Progress, Rounds, Row

KEYS: Final = 10_000
CONNECTIONS: Final = 64
ROUNDS: Final = 2
WARM_UP_SECONDS: Final = 60.0
MEASURED_SECONDS: Final = 12.0
"""At least: a door remembers a key for ten."""
FORGETFUL: Final = {"FOREBAY_INGRESS__KEY_CACHE_SECONDS": "0.1"}
ON: Final = f"{Broker.REDIS} + {Ledger.POSTGRES}"
TARGET: Final = 1.15


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU a message with all of the keys, beside the same with one of them."""
    keys = [f"fb_active{number}" for number in range(KEYS)]
    ground = stage.ground(Broker.REDIS)
    asyncio.run(_insert(ground, keys))
    rounds = Rounds()
    with door(ground) as program:
        program.wait_until(ground.is_served, "open door")
        for turn in range(ROUNDS):
            say(f"{KEYS:,} keys at the door, round {turn + 1} of {ROUNDS}")
            rounds.add(one=_cpu(program, ground, keys[:1], seconds))
            rounds.add(many=_cpu(program, ground, keys, max(seconds, MEASURED_SECONDS)))
    say(f"{KEYS:,} keys at a door that remembers none")
    with door(ground, extra=FORGETFUL) as program:
        program.wait_until(ground.is_served, "open door")
        rounds.add(forgotten=_cpu(program, ground, keys, seconds))
    yield Row(
        what=f"door, CPU a message, {KEYS:,} active keys (stock: one key)",
        on=ON,
        unit="µs",
        ours=rounds["many"],
        stock=rounds["one"],
        target=TARGET,
    )
    yield Row(
        what="the same, each key looked up (stock: one key)",
        on=ON,
        unit="µs",
        ours=rounds["forgotten"],
        stock=rounds["one"],
    )


def _cpu(program: Program, ground: Ground, keys: Sequence[str], seconds: float) -> float:
    """Microseconds for a message."""
    warm_up = max(len(keys), 1_000)
    _post(ground, keys, WARM_UP_SECONDS, messages=warm_up)
    with metered(program) as cpu:
        answers = _post(ground, keys, seconds)
    return cpu.seconds / answers * 1e6


def _post(ground: Ground, keys: Sequence[str], seconds: float, messages: int = 10**9) -> int:
    return post(
        ground.port, key=keys, connections=CONNECTIONS, seconds=seconds, messages=messages
    ).answers


async def _insert(ground: Ground, keys: Sequence[str]) -> None:
    """Of a tenant each."""
    database, now = open_database(settings_of(ground).ledger), datetime.now(UTC)
    tenants = [
        {"id": f"ten_{number}", "name": f"tenant {number}", "created_at": now}
        for number in range(len(keys))
    ]
    rows = [
        {
            "id": f"key_{number}",
            "tenant_id": f"ten_{number}",
            "digest": key_digest(key),
            "hint": "fb_",
            "scope": KeyScope.PRODUCER,
            "created_at": now,
        }
        for number, key in enumerate(keys)
    ]
    try:
        async with transaction(database.durable) as connection:
            await connection.execute(insert(tenant), tenants)
            await connection.execute(insert(api_key), rows)
    finally:
        await database.close()
