"""Our own processes, started as their users start them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from shared.clock import SystemClock
from shared.messages.tenant import KeyScope, Tenant
from shared.persistence.engine import Database, open_database
from shared.persistence.tenants import TenantRepository
from shared.settings import Settings, load_settings
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.stage import Ground

_TENANT: Final = "benchmark"
_DEFAULT_RULE: Final = '[default]\nanswer = "So it is."\n'


def door(ground: Ground, *, extra: Mapping[str, str] | None = None) -> Program:
    """One ingress process; `extra` are further settings of its environment."""
    return Program(
        ["-m", "deploy.cli", "ingress"],
        log=ground.folder / "door.log",
        environment={**ground.environment, **(extra or {})},
    )


def worker(
    ground: Ground,
    *,
    provider_url: str | None = None,
    concurrency: int = 500,
    extra: Mapping[str, str] | None = None,
    log: str = "worker.log",
) -> Program:
    """One worker process, with `forebay worker`'s own flags; without a provider, rules answer.

    `extra` are further settings of its environment.
    """
    provider = scripted(provider_url) if provider_url else rules(ground)
    return Program(
        ["-m", "deploy.cli", "worker", "--concurrency", str(concurrency)],
        log=ground.folder / log,
        environment={
            **ground.environment,
            "FOREBAY_PROVIDERS": msgspec.json.encode([provider]).decode(),
            **(extra or {}),
        },
    )


def indexer(ground: Ground, *, cores: int) -> Program:
    """One indexer process with so many encoder processes; its index is the ground's."""
    return Program(
        ["-m", "deploy.cli", "indexer"],
        log=ground.folder / "indexer.log",
        environment={
            **ground.environment,
            "FOREBAY_INDEX__CORES": str(cores),
            "FOREBAY_INDEX__FOLDER": str(ground.folder / "index"),
        },
    )


def settings_of(ground: Ground) -> Settings:
    """What our processes on this ground are told."""
    return load_settings(ground.environment)


def create_key(ground: Ground) -> str:
    """An API key of a new tenant with the default plan."""

    async def create() -> str:
        async with opened_ledger(ground) as (database, tenant):
            tenants = TenantRepository(database, SystemClock())
            return (await tenants.create_key(tenant, scope=KeyScope.PRODUCER)).key

    return asyncio.run(create())


@asynccontextmanager
async def opened_ledger(ground: Ground) -> AsyncIterator[tuple[Database, Tenant]]:
    """The ground's ledger, and the tenant whose messages are measured."""
    database = open_database(settings_of(ground).ledger)
    tenants = TenantRepository(database, SystemClock())
    try:
        yield database, await tenants.named(_TENANT) or await tenants.create(_TENANT)
    finally:
        await database.close()


def scripted(provider_url: str) -> dict[str, str]:
    """The link of a chain that calls a scripted provider."""
    return {
        "name": "scripted",
        "kind": "openai_compatible",
        "base_url": f"{provider_url}/v1",
        "model": "scripted",
    }


def rules(ground: Ground) -> dict[str, str]:
    """The link of a chain that answers by itself."""
    file = ground.folder / "rules.toml"
    file.write_text(_DEFAULT_RULE)
    return {"name": "rules", "kind": "rules", "rules_file": str(file)}
