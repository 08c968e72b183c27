"""The HTTP surface as one ASGI application."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Lifespan, Receive, Scope, Send

from ingress.api.http.border import EXCHANGE, Border, Endpoint, Served
from ingress.api.http.cors import Cors
from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import Exchange
from ingress.api.reference.operation import Operation
from shared.clock import Clock
from shared.telemetry.metrics import Metrics


def http_application(
    operations: Sequence[Operation],
    metrics: Metrics,
    clock: Clock,
    *,
    lifespan: Lifespan[Any],
    cors_origins: Sequence[str] = (),
) -> Border:
    """Routes every operation; the hot ones past the framework, all of them through the border."""
    app = FastAPI(
        openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan
    )
    app.add_exception_handler(HTTPException, _left_to_the_border)
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.framework_path, {})[operation.method] = operation
    for path, methods in by_path.items():
        app.router.routes.append(Route(path, _Methods(methods), methods=list(methods)))
    hot: dict[tuple[str, str], Endpoint] = {
        (one.method, one.path): one.endpoint for one in operations if one.hot
    }
    cors = Cors(cors_origins) if cors_origins else None
    return Border(app, hot, metrics, clock, cors=cors)


class _Methods:
    """The operations of one path."""

    def __init__(self, operations: dict[str, Operation]) -> None:
        self._served = {
            method: Served(operation.endpoint, operation.path)
            for method, operation in operations.items()
        }
        if "GET" in self._served:
            self._served["HEAD"] = self._served["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._served[scope["method"]](scope, receive, send)


async def _left_to_the_border(request: Request, error: Exception) -> Response:
    """What the framework refuses (no such path, no such method), said in our words."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    exchange: Exchange = request.scope[EXCHANGE]
    exchange.failure = _refusal(error, exchange)
    return _NoAnswer()


def _refusal(error: HTTPException, exchange: Exchange) -> HttpRefusal:
    headers = tuple(
        (name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items()
    )
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            message, code = f"There is no '{exchange.path[:256]}' here. See /docs.", "not_found"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = (error.headers or {}).get("Allow", "another method")
            message = f"'{exchange.method[:16]}' is not possible here. Use {allowed}."
            code = "method_not_allowed"
        case _:
            message, code = str(error.detail), "refused"
    return HttpRefusal(error.status_code, message, code=code, headers=headers)


class _NoAnswer(Response):
    """Leaves the answer to the border."""

    async def __call__(self, _scope: Scope, _receive: Receive, _send: Send) -> None:
        return
