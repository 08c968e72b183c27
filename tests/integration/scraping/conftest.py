"""A door, a worker and an indexer with traffic, and a real Prometheus that scrapes them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from deploy.scripted_provider.behaviour import Kind
from tests.integration.conftest import OneMachine
from tests.integration.indexer.process.indexer_process import IndexerGround, IndexerProcess
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.scraping.traffic import REFUSED_QUESTION, Traffic
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.ports import free_port
from tests.servers.prometheus import PrometheusServer


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """Where the worker and the indexer tell their metrics."""
    return {"forebay-worker": free_port(), "forebay-indexer": free_port()}


@pytest.fixture(scope="module")
def stack(one_machine: OneMachine, provider: ProviderThread, ports: dict[str, int]) -> Stack:
    built = one_machine(
        openai_link(provider.url),
        FOREBAY_WORKER__METRICS_PORT=str(ports["forebay-worker"]),
    )
    provider.behave(Kind.UNAUTHORISED, contains=REFUSED_QUESTION)
    return built


@pytest.fixture(scope="module")
def ground(
    stack: Stack, ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> IndexerGround:
    port = {"FOREBAY_INDEX__METRICS_PORT": str(ports["forebay-indexer"])}
    folder = tmp_path_factory.mktemp("index")
    return IndexerGround(stack.broker_url, stack.ledger_url, folder, port)


@pytest.fixture(scope="module")
def door(stack: Stack, ground: IndexerGround) -> Iterator[RunningDoor]:
    settings = replace(stack.settings, index=ground.settings.index)
    with RunningDoor(settings) as running:
        yield running


@pytest.fixture(scope="module")
def traffic(
    stack: Stack, ground: IndexerGround, door: RunningDoor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Traffic]:
    """All of it has gone its way once."""
    worker = AgentWorker(stack, _folder(tmp_path_factory)).start()
    indexer = IndexerProcess(ground).start()
    traffic = Traffic(door.url, asyncio.run(new_key(stack.settings.ledger)))
    asyncio.run(traffic.begin())
    yield traffic
    indexer.process.kill()
    worker.kill()


@pytest.fixture(scope="module")
def prometheus(
    door: RunningDoor, ports: dict[str, int], traffic: Traffic
) -> Iterator[PrometheusServer]:
    """It has seen all three before and after some traffic."""
    with PrometheusServer({"forebay-door": door.port, **ports}) as server:
        _wait_for_scrapes(server, 2)
        asyncio.run(traffic.go_on())
        _wait_for_scrapes(server, 4)
        yield server


def _wait_for_scrapes(server: PrometheusServer, count: int) -> None:
    until = time.monotonic() + 60
    while len(server.query(f'count_over_time(up{{job=~"forebay-.+"}}[1h]) >= {count}')) < 3:
        assert time.monotonic() < until, server.query("up")
        time.sleep(0.2)


def _folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("worker")
