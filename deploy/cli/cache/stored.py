"""The stored answers of a tenant, named as an operator names them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from deploy.cli.connection import command_settings, open_command_redis, open_ledger
from deploy.cli.tenants import tenant_named
from shared.answer_cache.housekeeping import Housekeeping, KeptAnswer
from shared.answer_cache.stored_answer import CachePlace, place_of
from shared.clock import SystemClock
from shared.errors import InvalidRequest, NotFound
from shared.feedback.book import FeedbackBook
from shared.feedback.verdict import WRONG_STORED_ANSWER
from shared.persistence.tenants import TenantRepository


class Complaint(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A stored answer that somebody calls wrong; `at` is a Unix time."""

    entry: str
    at: float
    response_id: str
    comment: str = ""


async def invalidate(tenant: str) -> int:
    """Put all out of reach; how many were stored. Raises NotFound, Unavailable."""
    tenant_id = await _tenant_id(tenant)
    async with _housekeeping() as housekeeping:
        return await housekeeping.invalidate(tenant_id)


async def find(entry_id: str, tenant: str) -> KeptAnswer:
    """One of them. Raises InvalidRequest, NotFound, Unavailable."""
    place = await _place(entry_id, tenant)
    async with _housekeeping() as housekeeping:
        kept = await housekeeping.show(place)
    if kept is None:
        raise _unknown(entry_id, tenant)
    return kept


async def drop(entry_id: str, tenant: str) -> None:
    """Forget one. Raises InvalidRequest, NotFound, Unavailable."""
    place = await _place(entry_id, tenant)
    async with _housekeeping() as housekeeping:
        if not await housekeeping.drop(place):
            raise _unknown(entry_id, tenant)


async def complaints(tenant: str, limit: int) -> list[Complaint]:
    """What callers reported, the newest first. Raises NotFound, Unavailable."""
    clock = SystemClock()
    async with open_ledger(command_settings()) as database:
        tenant_id = (await tenant_named(tenant, TenantRepository(database, clock))).id
        book = FeedbackBook(database, clock)
        found = await book.page(tenant_id, name=WRONG_STORED_ANSWER, limit=limit)
    return [
        Complaint(
            entry=each.entry or "",
            at=each.at.timestamp(),
            comment=each.comment or "",
            response_id=each.response_id,
        )
        for each in found
    ]


async def _place(entry_id: str, tenant: str) -> CachePlace:
    place = place_of(await _tenant_id(tenant), entry_id)
    if place is None:
        raise InvalidRequest(
            f"'{entry_id}' is no id of a stored answer. Give one such as cache_5c6d…, of 32 digits."
        )
    return place


async def _tenant_id(name: str) -> str:
    async with open_ledger(command_settings()) as database:
        return (await tenant_named(name, TenantRepository(database, SystemClock()))).id


@asynccontextmanager
async def _housekeeping() -> AsyncIterator[Housekeeping]:
    async with open_command_redis(command_settings()) as redis:
        yield Housekeeping(redis)


def _unknown(entry_id: str, tenant: str) -> NotFound:
    return NotFound(f"There is no stored answer '{entry_id}' of {tenant}.")
