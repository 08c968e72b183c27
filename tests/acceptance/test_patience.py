"""`forebay send` is patient with a door that asks to come later and a connection that breaks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from deploy.cli.send.door import DoorClient
from deploy.cli.send.order import Order
from shared.errors import Unavailable
from shared.surfaces.refused_by_door import RefusedByDoor

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]

DONE = {"id": "resp_1", "status": "completed", "model": "m", "output": []}
EVENTS = [
    {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1"}},
    {"type": "response.output_text.delta", "sequence_number": 1, "delta": "one "},
    {"type": "response.output_text.delta", "sequence_number": 2, "delta": "two"},
    {"type": "response.completed", "sequence_number": 3, "response": DONE},
]


@asynccontextmanager
async def _door(
    handle: Handle, *, patience_seconds: float = 10, waits: list[tuple[str, float]] | None = None
) -> AsyncIterator[DoorClient]:
    app = web.Application()
    app.add_routes([web.route("*", "/{path:.*}", handle)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        async with DoorClient(
            f"http://127.0.0.1:{port}",
            "k",
            patience_seconds=patience_seconds,
            on_wait=lambda why, seconds: None if waits is None else waits.append((why, seconds)),
        ) as door:
            yield door
    finally:
        await runner.cleanup()


def _refusal(status: int, retry_after: str | None) -> web.Response:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return web.json_response({"error": {"message": "Not now."}}, status=status, headers=headers)


async def test_a_door_that_asks_to_come_later_is_obeyed_under_the_same_key() -> None:
    keys: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        return _refusal(429, "0.05") if len(keys) < 3 else web.json_response(DONE)

    waits: list[tuple[str, float]] = []
    async with _door(handle, waits=waits) as door:
        result = await door.send(Order({"input": "hi"}))
    assert (result.ok, result.waits) == (True, 2)
    assert waits == [("Not now.", 0.05)] * 2
    assert len(keys) == 3
    assert len(set(keys)) == 1


@pytest.mark.parametrize(
    ("status", "retry_after"), [(429, "3600"), (429, None), (400, "0.01"), (401, None)]
)
async def test_what_waiting_cannot_mend_is_not_waited_for(
    status: int, retry_after: str | None
) -> None:
    calls: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        calls.append(request.path)
        return _refusal(status, retry_after)

    async with _door(handle) as door:
        result = await door.send(Order({"input": "hi"}, line=4))
    assert (result.ok, result.line, result.error) == (False, 4, "Not now.")
    assert len(calls) == 1


async def test_a_cut_stream_is_resumed_after_the_last_event() -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(f"{request.method} {request.path_qs}")
        after = int(request.query.get("starting_after", "-1"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in EVENTS[after + 1 : after + 3]:
            await response.write(f"data: {json.dumps(event)}\n\n".encode())
        if request.transport is not None:
            request.transport.abort()
        return response

    async with _door(handle) as door:
        seen = [event async for event in door.events(Order({"input": "hi"}))]
    assert seen == EVENTS
    assert asked == [
        "POST /v1/responses",
        "GET /v1/responses/resp_1?stream=true&starting_after=1",
    ]


async def test_a_refused_stream_says_why_and_an_absent_door_where_to_look() -> None:
    async def handle(_: web.Request) -> web.Response:
        return _refusal(401, None)

    async with _door(handle) as door:
        with pytest.raises(RefusedByDoor, match="Not now"):
            await anext(door.events(Order({"input": "hi"})))
    async with DoorClient("http://127.0.0.1:9", "k") as door:
        with pytest.raises(Unavailable, match="forebay up"):
            await anext(door.events(Order({"input": "hi"})))
        with pytest.raises(Unavailable, match="forebay up"):
            await door.send(Order({"input": "hi"}))
