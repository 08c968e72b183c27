"""The border of the HTTP surface: every request leaves it answered, numbered and measured."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Receive, Scope, Send

from ingress.api.http.cors import Cors
from ingress.api.http.errors import INTERNAL_ERROR, ErrorAnswer, error_answer
from ingress.api.http.exchange import Disconnected, Exchange
from shared.clock import Clock
from shared.errors import ForebayError, Unavailable
from shared.identifiers import REQUEST, new_id
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics

Endpoint = Callable[[Exchange], Awaitable[None]]

EXCHANGE: Final = "forebay.exchange"
_SLASHES: Final = re.compile("/{2,}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Border:
    """Gives the busiest routes their requests directly, and everything else to the framework.

    `hot` maps (method, path) to an endpoint. Whatever an endpoint raises becomes an error object
    here; what nobody foresaw is logged under the request's id and says nothing of our insides.
    """

    def __init__(
        self,
        inner: ASGIApp,
        hot: Mapping[tuple[str, str], Endpoint],
        metrics: Metrics,
        clock: Clock,
        *,
        cors: Cors | None = None,
    ) -> None:
        self._cors = cors
        self._inner = inner
        self._hot = hot
        self._clock = clock
        self._log = get_logger(__name__)
        self._measures = _Measures(metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        if "//" in scope["path"]:
            # A base URL with a slash at its end makes two of them.
            scope["path"] = _SLASHES.sub("/", scope["path"])
        exchange = Exchange(scope, receive, send, self._clock, request_id=new_id(REQUEST))
        endpoint = self._hot.get((scope["method"], scope["path"]))
        try:
            if self._cors is not None:
                exchange.added = self._cors.headers(exchange)
                if self._cors.is_preflight(exchange):
                    endpoint = self._cors.answer_preflight
            if endpoint is not None:
                exchange.route = exchange.path
                await endpoint(exchange)
            else:
                scope[EXCHANGE] = exchange
                await self._inner(scope, receive, exchange.send)
                if exchange.failure is not None:
                    raise exchange.failure
        except Disconnected:
            exchange.status = exchange.status or 499
        except ForebayError as error:
            await answer_error(exchange, self._told(exchange, error))
        except Exception as error:  # noqa: BLE001 - the HTTP edge: nobody is above to catch it
            self._log.error(
                "request failed",
                request_id=exchange.request_id,
                method=exchange.method,
                route=exchange.route,
                error=type(error).__name__,
                exc_info=error,
            )
            await answer_error(exchange, INTERNAL_ERROR)
        self._measures.count(exchange)

    def _told(self, exchange: Exchange, error: ForebayError) -> ErrorAnswer:
        if isinstance(error, Unavailable):
            self._log.warning(
                "request not served",
                request_id=exchange.request_id,
                route=exchange.route,
                code=error.code,
                reason=error.message,
            )
        return error_answer(error)


async def answer_error(exchange: Exchange, error: ErrorAnswer) -> None:
    """Write an error, unless the answer has begun: then all that is left is to end it."""
    if exchange.status:
        await exchange.send({"type": "http.response.body", "body": b""})
        return
    await exchange.answer(
        error.status,
        error.body(exchange.path, exchange.request_id),
        error.headers,
        content_type=error.content_type(exchange.path),
    )


class Served:
    """An endpoint as the framework's router calls it."""

    def __init__(self, endpoint: Endpoint, route: str) -> None:
        self._endpoint = endpoint
        self._route = route

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        exchange: Exchange = scope[EXCHANGE]
        # The router hands on a copy of the scope, with the path's parameters.
        exchange.scope = scope
        exchange.route = self._route
        try:
            await self._endpoint(exchange)
        except Exception as error:  # noqa: BLE001 - kept from the framework's own answer to it
            exchange.failure = error


class _Measures:
    """Label lookups are done once for each combination that occurs."""

    def __init__(self, metrics: Metrics) -> None:
        self._requests = metrics.http_requests
        self._durations = metrics.http_request_duration_seconds
        self._bound: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, exchange: Exchange) -> None:
        route = exchange.route
        key = (route, exchange.method, exchange.status)
        bound = self._bound.get(key)
        if bound is None:
            method = exchange.method if exchange.method in _METHODS else "other"
            bound = (
                self._requests.labels(route, method, str(exchange.status)),
                self._durations.labels(route),
            )
            if method != "other":
                self._bound[key] = bound
        bound[0].inc()
        bound[1].observe(exchange.seconds_to_answer)
