"""A key to a door's ledger, as `forebay tenants` makes one."""

from __future__ import annotations

from shared.clock import SystemClock
from shared.messages.tenant import KeyScope, Plan
from shared.persistence.engine import open_database
from shared.persistence.tenants import TenantRepository
from shared.settings.servers import LedgerSettings


async def new_key(
    ledger: LedgerSettings,
    name: str = "acme",
    scope: KeyScope = KeyScope.PRODUCER,
    plan: Plan | None = None,
) -> str:
    """Of the tenant of that name, who is made with this plan where there is none yet."""
    database = open_database(ledger)
    try:
        tenants = TenantRepository(database, SystemClock())
        tenant = await tenants.named(name) or await tenants.create(name, plan)
        return (await tenants.create_key(tenant, scope=scope)).key
    finally:
        await database.close()
