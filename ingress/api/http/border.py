"""The border of the HTTP surface: every request leaves it answered, numbered and measured."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Final

import msgspec
from prometheus_client import Counter, Histogram

from ingress.api.http.cors import Cors
from ingress.api.http.error_answer import ErrorAnswer
from ingress.api.http.errors import INTERNAL_ERROR, HttpRefusal, error_answer
from ingress.api.http.exchange import Endpoint, Exchange
from ingress.api.http.wire import Disconnected
from shared.clock import Clock
from shared.errors import ForebayError, Unavailable
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics

_SLASHES: Final = re.compile("/{2,}")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PART: Final = re.compile(r"{(\w+)}")
_WITH_SLASHES: Final = frozenset({"model", "asset"})
"""The parts of a path that go on to its end: a model's name, or a file's, may contain slashes."""


class Route(msgspec.Struct, frozen=True):
    """A method and a path, `{name}` standing for a part of it, and who serves them."""

    method: str
    path: str
    endpoint: Endpoint


class Routes:
    """Every route of the door. A path without parts is found at once, others in their order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._patterns = [(_pattern(one.path), one) for one in routes]
        self._fixed = {(one.method, one.path): one for _, one in self._patterns}

    def endpoint(self, exchange: Exchange) -> Endpoint:
        """Who serves this request; its `route` and `parameters` are set. HEAD is served as GET.

        Raises HttpRefusal: 404 where nothing is, 405 with the methods that are possible.
        """
        path = exchange.path
        method = "GET" if exchange.method == "HEAD" else exchange.method
        found = self._fixed.get((method, path))
        if found is None:
            found = self._by_pattern(exchange, method, path)
        exchange.route = found.path
        return found.endpoint

    def _by_pattern(self, exchange: Exchange, method: str, path: str) -> Route:
        allowed = set()
        for pattern, route in self._patterns:
            if parts := pattern.fullmatch(path):
                if route.method == method:
                    exchange.parameters = parts.groupdict()
                    return route
                allowed.add(route.method)
        raise _not_possible(exchange.method, allowed) if allowed else _not_here(path)


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
        self.clock = clock
        self._cors = cors
        self._routes = routes
        self._log = get_logger(__name__)
        self._measures = _Measures(metrics)

    async def serve(self, exchange: Exchange) -> None:
        """Answer one request; whatever happens, who asked is answered or hung up on."""
        if "//" in exchange.path:
            # A base URL with a slash at its end makes two of them.
            exchange.path = _SLASHES.sub("/", exchange.path)
        try:
            await self._endpoint(exchange)(exchange)
            if exchange.is_wanted() and not exchange.is_whole:
                raise RuntimeError("The endpoint has returned without a whole answer.")
        except Disconnected:
            exchange.status = exchange.status or 499
            exchange.hang_up()
        except ForebayError as error:
            await answer_error(exchange, self._told(exchange, error))
        except asyncio.CancelledError:
            # The process ends and waits no longer: those that cannot be answered are told.
            exchange.keep_alive = False
            await answer_error(exchange, INTERNAL_ERROR)
            raise
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
        exchange.break_off()
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


def _pattern(path: str) -> re.Pattern[str]:
    pieces = _PART.split(path)  # text and names by turns
    pieces[::2] = map(re.escape, pieces[::2])
    pieces[1::2] = (
        f"(?P<{name}>{'.*' if name in _WITH_SLASHES else '[^/]+'})" for name in pieces[1::2]
    )
    return re.compile("".join(pieces))


def _not_here(path: str) -> HttpRefusal:
    return HttpRefusal(404, f"There is no '{path[:256]}' here. See /docs.", code="not_found")


def _not_possible(method: str, allowed: set[str]) -> HttpRefusal:
    names = ", ".join(sorted(allowed | {"HEAD"} if "GET" in allowed else allowed))
    return HttpRefusal(
        405,
        f"'{method[:16]}' is not possible here. Use {names}.",
        code="method_not_allowed",
        headers=((b"allow", names.encode()),),
    )
