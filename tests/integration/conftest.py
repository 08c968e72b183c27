"""One machine's stack: SQLite and Redis, a worker process, a scripted provider, a road to it.

A folder or a file that needs another `stack` makes its own; the rest follows from it.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.redis.client import open_redis
from tests.integration.ingress.contract import Contract, openai_contract
from tests.integration.patience import PatientSettings, patient_circuits, patient_settings
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, open_road
from tests.integration.workers.stack import Stack

OneMachine = Callable[..., Stack]


@pytest.fixture(scope="session")
def contract() -> Contract:
    return openai_contract()


@pytest.fixture
def patience() -> Iterator[PatientSettings]:
    """Settings for a Redis that is there all the time; circuits wait for it as long."""
    with patient_circuits():
        yield patient_settings


@pytest.fixture
async def redis_client(redis_url: str, patience: PatientSettings) -> AsyncIterator[Redis]:
    """A client of an empty database, as our processes open theirs."""
    async with open_redis(patience(redis_url)) as opened:
        yield opened


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderThread]:
    """A scripted provider; tests tell their calls apart by what the question says."""
    with ProviderThread() as thread:
        yield thread


@pytest.fixture(scope="module")
def one_machine(
    provider: ProviderThread,
    redis_databases: Iterator[str],
    migrated_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> OneMachine:
    """Builds a stack with a ledger of its own from a chain and further settings.

    The provider has forgotten every call then.
    """

    def build(*providers: dict[str, Any], **extra: str) -> Stack:
        provider.reset()
        ledger = shutil.copy(migrated_file, tmp_path_factory.mktemp("ledger"))
        return Stack(
            broker_url=next(redis_databases),
            redis_url=next(redis_databases),
            ledger_url=f"sqlite+aiosqlite:///{ledger}",
            providers=list(providers),
            extra=extra,
        )

    return build


@pytest.fixture(scope="module")
def worker(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentWorker]:
    """A worker process that all tests of the file share; leave it running."""
    started = AgentWorker(stack, tmp_path_factory.mktemp("worker"))
    started.start()
    yield started
    started.kill()


@pytest.fixture
async def road(stack: Stack) -> AsyncIterator[Road]:
    async with open_road(stack) as opened:
        yield opened
