"""An erasure, begun here and taken step by step to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.erase.showing import shown_progress
from deploy.cli.tenants import tenant_named
from shared.clock import Clock, SystemClock
from shared.erasing.erasing import Erasing, open_erasing
from shared.erasing.erasures import Erasure, Erasures
from shared.erasing.tables import ErasureSubject
from shared.errors import NotFound
from shared.persistence.engine import Database
from shared.persistence.tenants import TenantRepository

_LOOK_SECONDS = 1.0


async def begin(tenant: str, subject: ErasureSubject, name: str) -> Erasure:
    """Begin one, or find the one that is under way; raises NotFound, LedgerUnavailable."""
    async with open_ledger(command_settings()) as database:
        return await _begun(database, tenant, subject, name)


async def finish(tenant: str, subject: ErasureSubject, name: str) -> Erasure:
    """The same, and take it to its end; raises NotFound, Unavailable."""
    settings, clock = command_settings(), SystemClock()
    async with (
        open_ledger(settings) as database,
        open_erasing(settings, database, clock) as erasing,
    ):
        begun = await _begun(database, tenant, subject, name)
        with shown_progress() as show:
            async for current in _steps(erasing, begun, clock):
                show(current)
                begun = current
    return begun


async def _begun(database: Database, tenant: str, subject: ErasureSubject, name: str) -> Erasure:
    clock = SystemClock()
    owner = await tenant_named(tenant, TenantRepository(database, clock))
    return await Erasures(database, clock).begin(owner.id, subject, name)


async def _steps(erasing: Erasing, begun: Erasure, clock: Clock) -> AsyncIterator[Erasure]:
    """How it stands after each step, whoever took it; workers may take some meanwhile."""
    current: Erasure | None = begun
    while current is not None:
        yield current
        if current.completed_at is not None:
            return
        if current.due_at is not None and current.due_at > clock.now():
            await asyncio.sleep(_LOOK_SECONDS)
        else:
            await erasing.eraser.step(current)
        current = await erasing.erasures.find(begun.id, tenant_id=begun.tenant_id)
    raise NotFound(f"The erasure '{begun.id}' was forgotten meanwhile.")
