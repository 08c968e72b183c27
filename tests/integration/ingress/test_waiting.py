"""Who waits at the door: how long, what they are told when it takes longer, and who hangs up."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import msgspec
import pytest

from shared.settings import Settings
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker


async def test_a_deadline_that_passes_is_a_504_that_says_where_the_answer_will_be(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    began = time.monotonic()
    headers = {"X-Forebay-Deadline": "0.5"}
    async with http.post("/v1/responses", json={"input": "Hi"}, headers=headers) as answer:
        error = (await answer.json())["error"]
    assert answer.status == 504
    assert 0.4 < time.monotonic() - began < 30
    message_id = answer.headers["x-forebay-response-id"]
    assert f"GET /v1/responses/{message_id}" in error["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert await worker.queued() == [message_id]


async def test_whoever_prefers_to_wait_briefly_gets_the_response_as_it_is(
    http: aiohttp.ClientSession,
) -> None:
    headers = {"Prefer": "wait=1"}
    async with http.post("/v1/responses", json={"input": "Hi"}, headers=headers) as answer:
        response = await answer.json()
    assert (answer.status, response["status"]) == (202, "queued")


async def test_hanging_up_does_not_stop_the_message(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    waiting = asyncio.create_task(http.post("/v1/responses", json={"input": "Hi"}))
    message_id = await worker.next_queued()
    waiting.cancel()
    await worker.answer(await worker.claim(message_id), "Hi")
    async with http.get(f"/v1/responses/{message_id}") as answer:
        assert (await answer.json())["status"] == "completed"
    async with asyncio.timeout(60):
        while await _gauge(http, "forebay_open_waiters"):
            pass


async def test_fifty_who_wait_at_once_each_get_their_own_answer(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve()

    async def ask(number: int) -> str:
        async with http.post("/v1/responses", json={"input": f"number {number}"}) as answer:
            text: str = (await answer.json())["output"][0]["content"][0]["text"]
            return text

    answers = await asyncio.gather(*(ask(number) for number in range(50)))
    assert answers == [f"You said: number {number}" for number in range(50)]


async def test_a_door_that_ends_tells_who_waits_how_to_go_on(
    settings: Settings, make_key: MakeKey, worker: StandInWorker
) -> None:
    key = await make_key()
    with RunningDoor(settings) as door:
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession(door.url, headers=headers) as http:
            waiting = asyncio.create_task(http.post("/v1/responses", json={"input": "Hi"}))
            streaming = asyncio.create_task(
                http.post("/v1/responses", json={"input": "Ho", "stream": True})
            )
            await worker.wait_for_queued(2)
            began = time.monotonic()
            door.tell_to_end()
            async with await waiting as answer:
                error = (await answer.json())["error"]
            assert (answer.status, error["code"]) == (503, "closing")
            assert answer.headers["x-forebay-response-id"] in error["message"]
            async with await streaming as stream:
                assert b"response.created" in await stream.read()
    assert time.monotonic() - began < settings.ingress.drain_seconds + 30


async def test_a_waiter_is_answered_while_the_door_drains(
    settings: Settings, make_key: MakeKey, worker: StandInWorker
) -> None:
    patient = msgspec.structs.replace(
        settings, ingress=msgspec.structs.replace(settings.ingress, drain_seconds=60.0)
    )
    key = await make_key()
    with RunningDoor(patient) as door:
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession(door.url, headers=headers) as http:
            waiting = asyncio.create_task(http.post("/v1/responses", json={"input": "Hi"}))
            record = await worker.claim(await worker.next_queued())
            door.tell_to_end()
            await door.until_it_takes_nobody_new()
            await worker.answer(record, "in time")
            async with await waiting as answer:
                assert (await answer.json())["status"] == "completed"


async def test_a_door_that_gives_notice_takes_requests_until_it_is_told_again(
    settings: Settings, make_key: MakeKey, worker: StandInWorker
) -> None:
    slow = msgspec.structs.replace(
        settings, ingress=msgspec.structs.replace(settings.ingress, notice_seconds=3600.0)
    )
    key = await make_key()
    worker.serve()
    headers = {"Authorization": f"Bearer {key}"}
    with RunningDoor(slow) as door:
        async with aiohttp.ClientSession(door.url, headers=headers) as http:
            async with http.get("/readyz") as answer:
                assert answer.status == 200
                assert "connection" not in answer.headers
            door.tell_to_end()
            assert await _closing(http) == "closing"
            async with http.post("/v1/responses", json={"input": "Hi"}) as answer:
                assert (await answer.json())["status"] == "completed"
                assert answer.headers["connection"] == "close"
        door.tell_to_end()
        await door.until_it_takes_nobody_new()


async def _closing(http: aiohttp.ClientSession) -> str:
    """What /readyz says as soon as it is 503."""
    while True:
        async with http.get("/readyz") as answer:
            if answer.status == 503:
                return str((await answer.json())["status"])
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    "seconds", ["0", "-1", "nan", "inf", "soon", "2001-01-01T00:00:00Z", "1e99"]
)
async def test_an_impossible_deadline_is_refused_by_name(
    http: aiohttp.ClientSession, worker: StandInWorker, seconds: str
) -> None:
    headers = {"X-Forebay-Deadline": seconds}
    async with http.post("/v1/responses", json={"input": "Hi"}, headers=headers) as answer:
        error = (await answer.json())["error"]
    assert answer.status == 400
    assert "eadline" in error["param"]
    assert await worker.queued() == []


async def _gauge(http: aiohttp.ClientSession, name: str) -> float:
    async with http.get("/metrics") as answer:
        text = await answer.text()
    return float(next(line for line in text.splitlines() if line.startswith(name)).split()[-1])
