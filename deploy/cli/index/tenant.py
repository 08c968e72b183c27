"""Whose index a command is about: commands of the index share it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.persistence.engine import Database
    from shared.persistence.tenants import TenantRepository
    from shared.settings import Settings

Tenant = Annotated[
    str | None,
    Parameter(help="Name of the tenant; need not be given where there is one alone."),
]


@asynccontextmanager
async def open_index(tenant: str | None) -> AsyncIterator[tuple[Database, Settings, str]]:
    """The ledger, the settings and the id of the tenant.

    Raises LedgerUnavailable, NotFound for a tenant that is not there, and InvalidRequest where
    none is named and there are several.
    """
    from shared.persistence.tenants import TenantRepository

    settings = command_settings()
    async with open_ledger(settings) as database:
        tenants = TenantRepository(database, SystemClock())
        if tenant is None:
            tenant_id = await _only_one(tenants)
        else:
            tenant_id = (await tenant_named(tenant, tenants)).id
        yield database, settings, tenant_id


async def _only_one(tenants: TenantRepository) -> str:
    there = await tenants.all()
    if len(there) == 1:
        return there[0].id
    if not there:
        raise InvalidRequest("There is no tenant. Make one: forebay keys create --tenant NAME")
    raise InvalidRequest(
        f"There are {len(there)} tenants: say whose index with --tenant NAME. "
        "See: forebay tenants list"
    )
