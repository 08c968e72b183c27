"""What `forebay schedule` asks the ledger for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import to_builtins

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from shared.persistence.engine import Database
    from shared.schedules.schedule import ScheduledJob, ScheduleRun
    from shared.schedules.schedules import Schedules


class _Desk(NamedTuple):
    database: Database
    tenant_id: str
    schedules: Schedules


@asynccontextmanager
async def _desk(tenant: str) -> AsyncIterator[_Desk]:
    from shared.persistence.tenants import TenantRepository
    from shared.schedules.schedules import Schedules

    clock = SystemClock()
    async with open_ledger(command_settings()) as database:
        owner = await tenant_named(tenant, TenantRepository(database, clock))
        yield _Desk(database, owner.id, Schedules(database, clock))


async def add(
    name: str, tenant: str, kind: str, cron: str, zone: str, job: ScheduledJob, into: str | None
) -> dict[str, Any]:
    from msgspec.structs import replace

    from shared.files.file_catalogue import FileCatalogue
    from shared.files.stored_file import FilePurpose
    from shared.index.collections.catalogue import CollectionCatalogue
    from shared.schedules.cron_line import next_time
    from shared.schedules.tables import ScheduledKind

    clock = SystemClock()
    next_time(cron, zone, after=clock.now())
    async with _desk(tenant) as desk:
        if job.file_id is not None:
            files = FileCatalogue(desk.database, clock)
            found = await files.find(job.file_id, tenant_id=desk.tenant_id)
            if found is None:
                raise NotFound(f"{tenant} has no file '{job.file_id}'. See: forebay files list")
            if found.purpose is not FilePurpose.BATCH:
                raise InvalidRequest(
                    f"The file '{found.id}' has the purpose {found.purpose}. Upload it with "
                    "purpose batch."
                )
        else:
            collections = CollectionCatalogue(desk.database, clock)
            try:
                place = await collections.named(desk.tenant_id, into or "")
            except NotFound:
                place = await collections.create(desk.tenant_id, name=into or "")
            job = replace(job, collection_id=place.id)
        made = await desk.schedules.add(
            desk.tenant_id, name, kind=ScheduledKind(kind), cron=cron, zone=zone, job=job
        )
    return _plain(made)


async def list_all(tenant: str) -> list[tuple[dict[str, Any], ScheduleRun | None]]:
    async with _desk(tenant) as desk:
        found = await desk.schedules.list(desk.tenant_id)
        return [(_plain(each), await desk.schedules.last_run(each.id)) for each in found]


async def remove(name: str, tenant: str) -> None:
    async with _desk(tenant) as desk:
        await desk.schedules.remove(desk.tenant_id, name)


async def run(name: str, tenant: str) -> ScheduleRun:
    async with _desk(tenant) as desk:
        return await desk.schedules.run_now(await desk.schedules.named(desk.tenant_id, name))


def _plain(made: object) -> dict[str, Any]:
    plain: dict[str, Any] = to_builtins(made)
    return plain
