"""A real OTLP/HTTP receiver on a free port."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


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
        """By their names, for who sends one of each."""
        return {span.name: span for span in self.all_spans}

    @property
    def all_spans(self) -> list[Span]:
        return [
            span
            for export in self.exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def resource_of(self, name: str) -> dict[str, str]:
        """Which process sent a span of that name, by its attributes."""
        return next(
            {one.key: one.value.string_value for one in resource.resource.attributes}
            for export in self.exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            if any(span.name == name for span in scope.spans)
        )


def attributes_of(span: Span) -> dict[str, Any]:
    """Its attributes as they would stand in JSON."""
    return {one.key: _value(one.value) for one in span.attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, str(kind))


@asynccontextmanager
async def running_collector() -> AsyncIterator[tuple[Collector, str]]:
    """A collector, and the address that exporters are given."""
    kept = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", kept.receive)
    async with TestServer(app) as server:
        yield kept, str(server.make_url("/v1/traces"))
