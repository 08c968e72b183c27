"""A request finds the endpoint of its method and path, or a refusal that helps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from ingress.api.http.border import Route, Routes
from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import Endpoint, Exchange, RequestHead
from ingress.api.http.wire import Line
from shared.clock import ManualClock

CLOCK = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


def endpoint() -> Endpoint:
    async def serve(_exchange: Exchange) -> None:
        return None

    return serve


ROUTES = [
    Route(method=method, path=path, endpoint=endpoint())
    for method, path in (
        ("GET", "/v1/things"),
        ("POST", "/v1/things"),
        ("GET", "/v1/things/{thing_id}"),
        ("DELETE", "/v1/things/{thing_id}"),
        ("POST", "/v1/things/count"),
        ("POST", "/v1/things/{thing_id}/parts/{part_id}"),
        ("GET", "/v1/models/{model}"),
        ("POST", "/a.b"),
    )
]


def exchange(method: str, path: str) -> Exchange:
    line = cast(Line, None)  # nothing is read or written
    return Exchange(line, RequestHead(method=method, path=path), CLOCK)


@pytest.mark.parametrize(
    ("method", "path", "route", "parameters"),
    [
        ("GET", "/v1/things", 0, {}),
        ("HEAD", "/v1/things", 0, {}),
        ("POST", "/v1/things", 1, {}),
        ("GET", "/v1/things/1", 2, {"thing_id": "1"}),
        ("GET", "/v1/things/\n\x00", 2, {"thing_id": "\n\x00"}),
        ("HEAD", "/v1/things/1", 2, {"thing_id": "1"}),
        ("DELETE", "/v1/things/count", 3, {"thing_id": "count"}),
        ("POST", "/v1/things/count", 4, {}),
        ("POST", "/v1/things/1/parts/2", 5, {"thing_id": "1", "part_id": "2"}),
        ("GET", "/v1/models/a/b:c", 6, {"model": "a/b:c"}),
        ("POST", "/a.b", 7, {}),
    ],
)
def test_a_request_finds_its_endpoint_with_the_parts_of_its_path(
    method: str, path: str, route: int, parameters: dict[str, str]
) -> None:
    asked = exchange(method, path)
    assert Routes(ROUTES).endpoint(asked) is ROUTES[route].endpoint
    assert (asked.route, dict(asked.parameters)) == (ROUTES[route].path, parameters)


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/v1/thing", 404, None),
        ("GET", "/v1/things/", 404, None),
        ("GET", "/v1/things/1/2", 404, None),
        ("GET", "/v1/things\n", 404, None),
        ("POST", "/axb", 404, None),
        ("PUT", "/v1/things", 405, "GET, HEAD, POST"),
        ("PATCH", "/v1/things/1", 405, "DELETE, GET, HEAD"),
        ("HEAD", "/a.b", 405, "POST"),
    ],
)
def test_what_nobody_serves_is_refused_with_what_is_possible(
    method: str, path: str, status: int, allowed: str | None
) -> None:
    asked = exchange(method, path)
    with pytest.raises(HttpRefusal) as raised:
        Routes(ROUTES).endpoint(asked)
    headers = dict(raised.value.headers)
    assert (raised.value.status, asked.route) == (status, "unmatched")
    assert headers == ({} if allowed is None else {b"allow": allowed.encode()})
