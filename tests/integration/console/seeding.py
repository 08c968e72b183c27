"""A day of traffic, as its settlements left it: figures, and what was done."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from sqlalchemy import insert

from shared.audit.audit_log import AuditLog
from shared.audit.entry import Actor
from shared.clock import SystemClock
from shared.messages.tenant import Plan
from shared.persistence.engine import open_database
from shared.persistence.statements import transaction
from shared.persistence.tenants import TenantRepository
from shared.rollups.delta import Delta, encode_delta
from shared.rollups.tables import rollup_delta
from shared.settings.servers import LedgerSettings
from tests.integration.console.judging import (
    add_alert,
    add_feedback,
    add_judged,
    add_outcomes,
    add_run,
)
from tests.integration.rollups.facts import attempt_fact, door_sums, turn_fact

CHAIN = (("openai", "gpt-5-mini"), ("anthropic", "claude-haiku"), ("local", "smollm2"))
PLAN = Plan(6_000, 6_000_000, 600, 600_000, 10_000, daily_budget=Decimal(120))
MARKUP = "<img src=nowhere onerror='window.ran=1'><script>window.ran=1</script>"


async def seed(ledger: LedgerSettings, *, minutes: int = 60, strange: str = "") -> None:
    """So many minutes until now; `strange` stands in every name that a caller or a file gives."""
    database, chance = open_database(ledger), Random(7)
    try:
        tenants, now = TenantRepository(database, SystemClock()), SystemClock().now()
        owner = await tenants.create(f"harbour{strange}"[:128], PLAN)
        deltas = [
            _minute(chance, now - timedelta(minutes=ago), owner.id, strange)
            for ago in range(minutes)
        ]
        async with transaction(database.durable) as connection:
            for delta in deltas:
                await connection.execute(insert(rollup_delta).values(figures=encode_delta(delta)))
        actor = Actor(f"ann@{strange}host"[:128], "command line")
        log = AuditLog(database, SystemClock())
        await add_alert(database, strange)
        await add_run(database, strange)
        await add_judged(database, strange)
        await add_feedback(database, owner.id, strange)
        await add_outcomes(database, owner.id, strange)
        await log.record(actor, "keys.revoke", f"key_1{strange}"[:255], {"note": strange or "old"})
    finally:
        await database.close()


def _minute(chance: Random, at: datetime, tenant_id: str, strange: str) -> Delta:
    asked = chance.choices(CHAIN, weights=(7, 2, 1), k=20 + chance.randrange(8))
    names = [(f"{provider}{strange}"[:64], f"{model}{strange}"[:128]) for provider, model in asked]
    turns = tuple(
        turn_fact(
            at,
            tenant_id=tenant_id,
            model=model,
            answered_by=provider,
            state="failed" if chance.random() < 0.02 else "completed",
            latency_ms=int(chance.lognormvariate(7.0, 0.6)),
            wait_ms=int(chance.expovariate(1 / 200)),
            saved_nanos=5_000_000 if chance.random() < 0.3 else None,
        )
        for provider, model in names
    )
    attempts = tuple(
        attempt_fact(
            at,
            tenant_id=tenant_id,
            provider=provider,
            model=model,
            latency_ms=int(chance.lognormvariate(6.8, 0.6)),
            error_class=chance.choice((f"timeout{strange}"[:32], "rate_limited", *[None] * 50)),
            cost_nanos=chance.randrange(2_000_000, 9_000_000),
        )
        for provider, model in names
    )
    came = door_sums(at, tenant_id=tenant_id, count=len(turns) + 1)
    refused = door_sums(at, tenant_id=tenant_id, reason=f"rate{strange}"[:64], count=1)
    return Delta(turns, attempts, (came, refused))


async def append_more_than_is_read(ledger: LedgerSettings) -> None:
    """So many ends that nobody has folded yet that readers leave the newest out."""
    database, now = open_database(ledger), SystemClock().now()
    figures = encode_delta(Delta((turn_fact(now),)))
    try:
        async with transaction(database.durable) as connection:
            await connection.execute(insert(rollup_delta), [{"figures": figures}] * 5_001)
    finally:
        await database.close()
