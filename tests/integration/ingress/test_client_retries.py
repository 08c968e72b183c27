"""Clients that give up waiting and send the same again pay for one message."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import aiohttp
import msgspec
import openai
import pytest

from shared.settings import Settings
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker

COUNT = "x-stainless-retry-count"
BODY = {"input": "Hi", "background": True}


@pytest.fixture
def other_door(settings: Settings) -> Iterator[RunningDoor]:
    with RunningDoor(settings) as running:
        yield running


async def _send(
    http: aiohttp.ClientSession, count: int | None, url: str = "", **body: object
) -> str:
    headers = {} if count is None else {COUNT: str(count)}
    path = f"{url}/v1/responses"
    async with http.post(path, json={**BODY, **body}, headers=headers) as answer:
        sent = await answer.json()
        assert answer.status == 200, sent
        return str(sent["id"])


async def test_openais_client_that_times_out_and_repeats_pays_for_one_message(
    door: RunningDoor, key: str, worker: StandInWorker
) -> None:
    async with openai.AsyncOpenAI(
        api_key=key, base_url=f"{door.url}/v1", max_retries=20, timeout=1.5
    ) as client:
        asking = asyncio.create_task(client.responses.create(model="auto", input="Hi"))
        record = await worker.claim(await worker.next_queued())
        with pytest.raises(TimeoutError):  # it gives up once, waits, and sends the same again
            await asyncio.wait_for(asyncio.shield(asking), 2)
        await worker.answer(record, "once")
        answer = await asking
    assert (answer.id, answer.output_text) == (record.id, "once")
    assert await worker.queued() == []


async def test_a_repeat_joins_at_any_door_and_says_so(
    http: aiohttp.ClientSession, other_door: RunningDoor, worker: StandInWorker
) -> None:
    first = await _send(http, 0)
    headers = {COUNT: "1"}
    async with http.post(f"{other_door.url}/v1/responses", json=BODY, headers=headers) as answer:
        assert (await answer.json())["id"] == first
        assert answer.headers["idempotent-replayed"] == "true"
    assert await _send(http, 2) == first
    assert await worker.queued() == [first]


async def test_many_repeats_at_once_at_two_doors_are_one_message(
    http: aiohttp.ClientSession, door: RunningDoor, other_door: RunningDoor, worker: StandInWorker
) -> None:
    urls = (door.url, other_door.url)
    ids = await asyncio.gather(*(_send(http, 1, urls[number % 2]) for number in range(20)))
    assert len(set(ids)) == 1
    assert await worker.queued() == [ids[0]]


async def test_what_is_no_repeat_is_a_message_of_its_own(
    http: aiohttp.ClientSession, door: RunningDoor, make_key: MakeKey
) -> None:
    first = await _send(http, 0)
    others = {
        "sent on purpose, by such a client": await _send(http, 0),
        "sent on purpose, by another one": await _send(http, None),
        "another body": await _send(http, 1, input="Ho"),
    }
    headers = {"Authorization": f"Bearer {await make_key()}", COUNT: "1"}
    async with http.post("/v1/responses", json=BODY, headers=headers) as answer:
        others["another key of the same tenant"] = (await answer.json())["id"]
    assert first not in others.values()
    assert len(set(others.values())) == len(others)


async def test_a_repeat_after_the_time_is_a_new_message(
    settings: Settings, key: str, worker: StandInWorker
) -> None:
    limits = msgspec.structs.replace(settings.limits, repeat_seconds=600.0)
    headers = {"Authorization": f"Bearer {key}"}
    with RunningDoor(msgspec.structs.replace(settings, limits=limits)) as door:
        async with aiohttp.ClientSession(door.url, headers=headers) as http:
            first = await _send(http, 0)
            (noted,) = await worker.redis.keys("*idempotency*")
            assert 0 < await worker.redis.pttl(noted) <= 600_000
            await worker.redis.delete(noted)  # what its time would have done
            assert await _send(http, 1) != first


async def test_a_caller_with_a_key_of_its_own_is_led_by_that(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    for count in ("0", "1"):
        headers = {COUNT: count, "Idempotency-Key": "order-1"}
        async with http.post("/v1/responses", json=BODY, headers=headers) as answer:
            assert answer.status == 200
    headers["Idempotency-Key"] = "order-2"
    async with http.post("/v1/responses", json=BODY, headers=headers) as answer:
        assert answer.status == 200
    assert len(await worker.queued()) == 2
