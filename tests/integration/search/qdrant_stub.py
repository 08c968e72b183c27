"""A server that answers as Qdrant describes its API, and holds what it is sent against that."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.integration.ingress.contract import with_nulls

CONTRACT: Final = (
    Path(__file__).resolve().parents[4] / "shared" / "contracts" / "qdrant-1.19.openapi.json"
)
URI: Final = "urn:qdrant"
Body = Any


@cache
def qdrant_contract() -> dict[str, Any]:
    """The description that lies beside this repository; skips the test where none does."""
    if not CONTRACT.exists():
        pytest.skip("Qdrant's description of its API is not beside this repository")
    described: dict[str, Any] = with_nulls(json.loads(CONTRACT.read_text()))
    return described


class QdrantStub:
    """Keeps collections as they were made, and answers queries with what a test put in."""

    def __init__(self, contract: dict[str, Any], *, version: str) -> None:
        self.version = version
        self.faults: list[str] = []
        """What the description forbids of what was sent, or of what this stub answered."""
        self.sent: list[tuple[str, str, Body]] = []
        self.found: list[list[dict[str, Any]]] = []
        """What each query of the next batch finds."""
        self.refusal: Callable[[], web.Response] | None = None
        self.dribbles = False
        """Sends a byte now and then, and never all."""
        self.collections: dict[str, dict[str, Any]] = {}
        self._paths = contract["paths"]
        resource = Resource(contents=contract, specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(URI, resource)

    def bodies(self, path: str) -> list[Body]:
        """What was sent to paths that end so."""
        return [body for _, at, body in self.sent if at.endswith(path)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        operation = self._operation(request)
        body = await request.json() if request.can_read_body else None
        self.sent.append((request.method, request.path, body))
        if operation is None:
            self.faults.append(f"no operation: {request.method} {request.path}")
            return web.Response(status=404)
        known = {each["name"] for each in operation.get("parameters", [])}
        self.faults += [f"no parameter {name}" for name in request.query.keys() - known]
        self._hold(operation.get("requestBody"), body, request.path)
        if self.dribbles:
            return await _dribble(request)
        if self.refusal is not None:
            return self.refusal()
        told = self._told(request, body)
        if told is None:
            return web.json_response({"status": {"error": "Not found"}, "time": 0.0}, status=404)
        self._hold(operation["responses"]["200"], told, request.path)
        return web.json_response(told)

    def _operation(self, request: web.Request) -> dict[str, Any] | None:
        for template, operations in self._paths.items():
            pattern = re.sub(r"\{\w+\}", "[^/]+", template)
            if re.fullmatch(pattern, request.path) and request.method.lower() in operations:
                operation: dict[str, Any] = operations[request.method.lower()]
                return operation
        return None

    def _hold(self, described: dict[str, Any] | None, value: Body, where: str) -> None:
        if described is None:
            self.faults += [f"{where}: takes no body"] if value is not None else []
            return
        content = described["content"]["application/json"]["schema"]
        # A schema that stands at an operation refers into the document all the same.
        text = json.dumps(content).replace('"#/', f'"{URI}#/')
        validator = Draft202012Validator(json.loads(text), registry=self._registry)
        found = best_match(validator.iter_errors(value))
        if found is not None:
            self.faults.append(f"{where}: {found.json_path}: {found.message[:300]}")

    def _told(self, request: web.Request, body: Body) -> Body:
        """The whole answer, or nothing where the collection is not there."""
        match request.path.strip("/").split("/"), request.method:
            case [""], "GET":
                return {"title": "qdrant", "version": self.version}
            case ["collections"], "GET":
                return _result({"collections": [{"name": name} for name in self.collections]})
            case ["collections", name], "PUT":
                self.collections[name] = body
                return _result(True)
            case ["collections", name], "DELETE":
                return _result(self.collections.pop(name, None) is not None)
            case ["collections", name, *_], _ if name not in self.collections:
                return None
            case ["collections", name], "GET":
                return _result(_collection(self.collections[name]))
            case [*_, "count"], _:
                return _result({"count": 7})
            case [*_, "scroll"], _:
                ids = [{"id": each} for each in (FIRST, SECOND)]
                return _result({"points": ids, "next_page_offset": FIRST})
            case [*_, "query", "batch"], _:
                return _result([{"points": points} for points in self.found])
            case [*_, "points", "batch"], _:
                return _result([_UPDATED for _ in body["operations"]])
        return _result(_UPDATED)


FIRST: Final = "00000000-0000-4000-8000-000000000001"
SECOND: Final = "00000000-0000-4000-8000-000000000002"
_UPDATED: Final = {"operation_id": 1, "status": "completed"}


async def _dribble(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    with suppress(ConnectionError):
        while True:
            await answer.write(b" ")
            await asyncio.sleep(0.1)
    return answer


def _result(value: Body) -> Body:
    return {"result": value, "status": "ok", "time": 0.001}


def _collection(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": "green",
        "optimizer_status": "ok",
        "points_count": 7,
        "segments_count": 1,
        "payload_schema": {},
        "config": {
            "params": {"vectors": made["vectors"]},
            "hnsw_config": {"m": 16, "ef_construct": 128, "full_scan_threshold": 10000},
            "optimizer_config": {
                "deleted_threshold": 0.2,
                "vacuum_min_vector_number": 1000,
                "default_segment_number": 0,
                "flush_interval_sec": 5,
            },
            "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
        },
    }


@asynccontextmanager
async def serving(stub: QdrantStub) -> AsyncIterator[str]:
    """The URL at which it answers."""
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", stub.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
