"""The border of the HTTP surface: every request leaves it answered, numbered and measured."""

from __future__ import annotations

import re
from typing import Final

from prometheus_client import Counter, Histogram

from ingress.api.http.cors import Cors
from ingress.api.http.error_answer import ErrorAnswer
from ingress.api.http.errors import INTERNAL_ERROR, error_answer
from ingress.api.http.exchange import Disconnected, Endpoint, Exchange, Receive, Scope, Send
from ingress.api.http.routes import Routes
from shared.clock import Clock
from shared.errors import ForebayError, Unavailable
from shared.identifiers import REQUEST, new_id
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics

_SLASHES: Final = re.compile("/{2,}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Border:
    """Gives every request to its endpoint.

    Whatever an endpoint raises becomes an error object here; what nobody foresaw is logged under
    the request's id and says nothing of our insides.
    """

    def __init__(
        self,
        routes: Routes,
        metrics: Metrics,
        clock: Clock,
        *,
        cors: Cors | None = None,
    ) -> None:
        self._cors = cors
        self._routes = routes
        self._clock = clock
        self._log = get_logger(__name__)
        self._measures = _Measures(metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if "//" in scope["path"]:
            # A base URL with a slash at its end makes two of them.
            scope["path"] = _SLASHES.sub("/", scope["path"])
        exchange = Exchange(scope, receive, send, self._clock, request_id=new_id(REQUEST))
        try:
            await self._endpoint(exchange)(exchange)
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

    def _endpoint(self, exchange: Exchange) -> Endpoint:
        if self._cors is not None:
            exchange.added = self._cors.headers(exchange)
            if self._cors.is_preflight(exchange):
                return self._cors.answer_preflight
        return self._routes.endpoint(exchange)

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
