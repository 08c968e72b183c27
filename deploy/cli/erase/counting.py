"""What an erasure would find, without one."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.erase.showing import shown_progress
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.erasing.erasures import Erasure
from shared.erasing.pages import Pages
from shared.erasing.tables import ErasureSubject
from shared.persistence.tenants import TenantRepository


@dataclass(frozen=True, slots=True)
class CountedMessages:
    """Messages that would be erased, and how many of them have not ended."""

    messages: int
    running: int


async def count(tenant: str, subject: ErasureSubject, name: str) -> CountedMessages:
    """Count them; raises NotFound, LedgerUnavailable."""
    clock = SystemClock()
    async with open_ledger(command_settings()) as database:
        owner = await tenant_named(tenant, TenantRepository(database, clock))
        now = clock.now()
        erasure = Erasure(
            id="", tenant_id=owner.id, subject=subject, name=name, created_at=now, due_at=now
        )
        pages, messages, running = Pages(database), 0, 0
        with shown_progress(counting=True) as show:
            while True:
                page = await pages.look(erasure, now=now)
                messages += page.left + len(page.ended) + len(page.running)
                running += len(page.running)
                erasure = msgspec.structs.replace(erasure, place=page.last, messages=messages)
                show(erasure)
                if page.is_last:
                    return CountedMessages(messages, running)
