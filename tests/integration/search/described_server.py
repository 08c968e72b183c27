"""A server that holds what it is sent, and what it answers, against a description of its API."""

from __future__ import annotations

import asyncio
import json
import re
from abc import ABC, abstractmethod
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

CONTRACTS: Final = Path(__file__).resolve().parents[4] / "shared" / "contracts"
Body = Any


@cache
def contract(name: str) -> dict[str, Any]:
    """The description of this file's name; skips the test where none is beside this repository."""
    path = CONTRACTS / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this repository")
    described: dict[str, Any] = with_nulls(json.loads(path.read_text()))
    return described


class DescribedServer(ABC):
    """Answers what `told` says, unless a test wants a refusal or no end."""

    def __init__(self, described: dict[str, Any], uri: str) -> None:
        self.faults: list[str] = []
        """What the description forbids of what was sent, or of what this stub answered."""
        self.sent: list[tuple[str, str, Body]] = []
        self.refusal: Callable[[], web.Response | None] | None = None
        self.dribbles = False
        """Sends a byte now and then, and never all."""
        self.lost_answers = 0
        """So many of the next calls are done, and nobody hears of it."""
        self._uri = uri
        self.described = described["components"]["schemas"]
        self._paths = described["paths"]
        resource = Resource(contents=described, specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(uri, resource)

    @abstractmethod
    def told(self, request: web.Request, body: Body) -> tuple[int, Body]:
        """The status, and the whole answer."""

    def losing(self) -> None:
        """Refuses nothing, and loses the answer."""
        self.lost_answers = 1

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
        refused = self.refusal and self.refusal()
        if refused is not None:
            return refused
        status, told = self.told(request, body)
        described = operation["responses"].get(str(status))
        if status < 400 or described is not None:
            self._hold(described, told, request.path)
        if self.lost_answers > 0:
            self.lost_answers -= 1
            return web.Response(status=504)
        return web.json_response(told, status=status)

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
        content = described.get("content")
        if content is None:
            return
        # A schema that stands at an operation refers into the document all the same.
        text = json.dumps(content["application/json"]["schema"])
        schema = json.loads(text.replace('"#/', f'"{self._uri}#/'))
        validator = Draft202012Validator(schema, registry=self._registry)
        found = best_match(validator.iter_errors(value))
        if found is not None:
            self.faults.append(f"{where}: {found.json_path}: {found.message[:300]}")


async def _dribble(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    with suppress(ConnectionError):
        while True:
            await answer.write(b" ")
            await asyncio.sleep(0.1)
    return answer


@asynccontextmanager
async def serving(stub: DescribedServer) -> AsyncIterator[str]:
    """The URL at which it answers."""
    app = web.Application(client_max_size=2**27)
    app.router.add_route("*", "/{path:.*}", stub.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
