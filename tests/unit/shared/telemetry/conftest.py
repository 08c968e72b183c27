"""Tracing against a real OTLP/HTTP receiver."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from shared.settings.telemetry import TelemetrySettings
from shared.telemetry.open_tracing import open_tracing
from shared.telemetry.tracing import Tracing, enter_trace
from tests.servers.collector import Collector, running_collector


@pytest.fixture(autouse=True)
def _outside_of_any_trace() -> Iterator[None]:
    enter_trace(None)
    yield
    enter_trace(None)


@pytest.fixture
async def collector() -> AsyncIterator[tuple[Collector, str]]:
    async with running_collector() as (kept, url):
        yield kept, url


@pytest.fixture
def received(collector: tuple[Collector, str]) -> Collector:
    return collector[0]


@pytest.fixture
async def tracing(collector: tuple[Collector, str]) -> AsyncIterator[Tracing]:
    opened = open_tracing(TelemetrySettings(traces_endpoint=collector[1]), "worker")
    yield opened
    await opened.close()
