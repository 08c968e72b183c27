"""One worker process for the tests of a file, on each pair of servers; a road for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer

NewStack = Callable[..., Stack]


@pytest.fixture(scope="module", params=["rabbitmq-postgres", "redis-sqlite"])
def stack(
    request: pytest.FixtureRequest,
    provider: ProviderThread,
    redis_databases: Iterator[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Stack:
    """Production's pair of broker and ledger, then one machine's."""
    provider.reset()
    build = _production if request.param == "rabbitmq-postgres" else _one_machine
    broker_url, ledger_url = build(request, redis_databases, tmp_path_factory)
    return Stack(
        broker_url=broker_url,
        redis_url=next(redis_databases),
        ledger_url=ledger_url,
        providers=[openai_link(provider.url, "first"), openai_link(provider.url, "second")],
    )


def _production(request: pytest.FixtureRequest, *_: Any) -> tuple[str, str]:
    rabbitmq: RabbitServer = request.getfixturevalue("rabbitmq")
    postgres: PostgresServer = request.getfixturevalue("postgres")
    template: str = request.getfixturevalue("migrated_template")
    database = postgres.create_database(template=template)
    return rabbitmq.vhost_url(rabbitmq.create_vhost()), postgres.database_url(database)


def _one_machine(
    request: pytest.FixtureRequest, databases: Iterator[str], folders: pytest.TempPathFactory
) -> tuple[str, str]:
    ledger = shutil.copy(request.getfixturevalue("migrated_file"), folders.mktemp("ledger"))
    return next(databases), f"sqlite+aiosqlite:///{ledger}"


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Callable[..., AgentWorker]]:
    """Starts workers of this test's own; all of them are gone after it."""
    started: list[AgentWorker] = []

    def start(stack: Stack, *, ready: bool = True, **options: Any) -> AgentWorker:
        worker = AgentWorker(stack, tmp_path, **options)
        started.append(worker)
        return worker.start(ready=ready)

    yield start
    for worker in started:
        worker.kill()
