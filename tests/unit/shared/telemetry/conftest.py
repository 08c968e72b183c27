"""A real OTLP/HTTP receiver on a free port."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from shared.settings.telemetry import TelemetrySettings
from shared.telemetry.propagation import enter_trace
from shared.telemetry.tracing import Tracing, open_tracing


class Collector:
    """Keeps what it was sent, as it came over the wire."""

    def __init__(self) -> None:
        self.exports: list[ExportTraceServiceRequest] = []

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        self.exports.append(ExportTraceServiceRequest.FromString(body))
        return web.Response(content_type="application/x-protobuf")

    @property
    def spans(self) -> dict[str, Span]:
        return {
            span.name: span
            for export in self.exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }


@pytest.fixture(autouse=True)
def _outside_of_any_trace() -> Iterator[None]:
    enter_trace(None)
    yield
    enter_trace(None)


@pytest.fixture
async def collector() -> AsyncIterator[tuple[Collector, str]]:
    kept = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", kept.receive)
    async with TestServer(app) as server:
        yield kept, str(server.make_url("/v1/traces"))


@pytest.fixture
def received(collector: tuple[Collector, str]) -> Collector:
    return collector[0]


@pytest.fixture
async def tracing(collector: tuple[Collector, str]) -> AsyncIterator[Tracing]:
    opened = open_tracing(TelemetrySettings(traces_endpoint=collector[1]), "worker")
    yield opened
    await opened.close()
