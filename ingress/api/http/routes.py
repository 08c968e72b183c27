"""Which endpoint serves a request."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import Endpoint, Exchange

_PART: Final = re.compile(r"{(\w+)}")
_WITH_SLASHES: Final = frozenset({"model"})
"""The parts of a path that go on to its end: a model's name may contain slashes."""


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
