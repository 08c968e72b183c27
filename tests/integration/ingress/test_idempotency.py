"""A message that is repeated under its key is one message, whatever was lost in between."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from typing import Any

import aiohttp
import pytest
from sqlalchemy import update

from shared.identifiers import new_response_id
from shared.persistence.tables import message
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.stand_in_worker import StandInWorker

KEY = {"Idempotency-Key": "order-1"}
BODY = {"input": "Hi", "background": True}
_TEXT = {"type": "input_text", "text": "Hi"}


async def test_the_same_message_twice_is_one_response(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    ids = set()
    for expected in (None, "true"):
        async with http.post("/v1/responses", json=BODY, headers=KEY) as answer:
            ids.add((await answer.json())["id"])
            assert answer.headers.get("idempotent-replayed") == expected
    assert len(ids) == 1
    assert await worker.queued() == list(ids)


async def test_many_at_the_same_moment_are_one_message(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    async def send() -> str:
        async with http.post("/v1/responses", json=BODY, headers=KEY) as answer:
            assert answer.status == 200
            message_id: str = (await answer.json())["id"]
            return message_id

    assert len(set(await asyncio.gather(*(send() for _ in range(20))))) == 1
    assert len(await worker.queued()) == 1


async def test_another_message_under_the_same_key_is_refused(http: aiohttp.ClientSession) -> None:
    async with http.post("/v1/responses", json=BODY, headers=KEY) as answer:
        assert answer.status == 200
    async with http.post("/v1/responses", json={**BODY, "input": "Ho"}, headers=KEY) as answer:
        error = (await answer.json())["error"]
    assert (answer.status, error["code"]) == (422, "idempotency_conflict")
    assert error["param"] == "Idempotency-Key"


SPELLINGS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/responses", {"max_output_tokens": 9, "stream": True, "input": "Hi"}),
    (
        "/v1/responses",
        {
            "stream": True,
            "input": [{"type": "message", "role": "user", "content": [_TEXT]}],
            "max_output_tokens": 9,
            "store": None,
        },
    ),
    (
        "/v1/chat/completions",
        {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9, "stream": True},
    ),
    (
        "/v1/chat/completions",
        {
            "stream": True,
            "max_completion_tokens": 9,
            "messages": [{"content": [{"text": "Hi", "type": "text"}], "role": "user"}],
        },
    ),
]


async def test_the_same_message_in_another_spelling_is_one_response(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve()
    ids = set()
    for forgets in (False, True):
        for path, body in SPELLINGS:
            async with http.post(path, json=body, headers=KEY) as answer:
                assert answer.status == 200, await answer.text()
                ids.add(answer.headers["x-forebay-response-id"])
            if forgets:
                await worker.redis.flushdb()
    assert len(ids) == 1


@pytest.mark.parametrize("forgets", [False, True])
async def test_a_message_of_an_earlier_version_is_known_again(
    http: aiohttp.ClientSession, worker: StandInWorker, forgets: bool
) -> None:
    async with http.post("/v1/responses", json=BODY, headers=KEY) as answer:
        first = (await answer.json())["id"]
    await _as_before(worker, first, '{"input": "Hi","background":true}')
    if forgets:
        await worker.redis.flushdb()
    async with http.post("/v1/responses", json=BODY, headers=KEY) as answer:
        assert ((await answer.json()).get("id"), answer.status) == (first, 200)
    async with http.post("/v1/responses", json={**BODY, "input": "Ho"}, headers=KEY) as answer:
        assert answer.status == 422


async def _as_before(worker: StandInWorker, message_id: str, body: str) -> None:
    """Its row, and what Redis knows of it, as when bytes were compared and not what they mean."""
    digest = blake2b(body.encode(), digest_size=32)
    write = update(message).where(message.c.id == message_id)
    async with worker.database.durable.begin() as connection:
        await connection.execute(write.values(body=body, body_digest=digest.hexdigest()))
    (key,) = [key async for key in worker.redis.scan_iter(match="*idempotency*")]
    await worker.redis.set(key, digest.digest()[:16] + message_id.encode(), ex=86_400)


async def test_the_ledger_remembers_a_key_that_redis_forgot(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    ids = []
    for body in (BODY, BODY, {**BODY, "input": "Ho"}):
        async with http.post("/v1/responses", json=body, headers=KEY) as answer:
            ids.append((answer.status, (await answer.json()).get("id")))
        await worker.redis.flushdb()
    assert ids[0] == ids[1]
    assert ids[2] == (422, None)


async def test_a_waiting_repeat_gets_the_answer_of_the_first(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    body = {"input": "Hi"}
    waiting = [
        asyncio.create_task(http.post("/v1/responses", json=body, headers=KEY)) for _ in range(3)
    ]
    record = await worker.claim(await worker.next_queued())
    await worker.until_somebody_waits(record.id)
    await worker.answer(record, "once")
    answers = [await task for task in waiting]
    assert {(await one.json())["id"] for one in answers} == {record.id}
    async with http.post("/v1/responses", json=body, headers=KEY) as again:
        assert (await again.json())["status"] == "completed"


async def test_a_key_belongs_to_its_tenant(
    http: aiohttp.ClientSession, make_key: MakeKey, worker: StandInWorker
) -> None:
    async with http.post("/v1/responses", json=BODY, headers=KEY) as answer:
        mine = (await answer.json())["id"]
    other = {**KEY, "Authorization": f"Bearer {await make_key('other')}"}
    async with http.post("/v1/responses", json=BODY, headers=other) as answer:
        assert (await answer.json())["id"] != mine


async def test_an_id_that_redis_knows_and_the_ledger_does_not_is_never_told(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    async with http.post("/v1/responses", json=BODY, headers=KEY) as answer:
        first = (await answer.json())["id"]
    # As a door leaves it that was killed between admission and commit, while the same message was
    # accepted without Redis.
    phantom = new_response_id()
    (key,) = [key async for key in worker.redis.scan_iter(match="*idempotency*")]
    known = await worker.redis.get(key)
    await worker.redis.set(key, known[:16] + phantom.encode(), ex=86_400)
    for _ in range(2):
        async with http.post("/v1/responses", json=BODY, headers=KEY) as answer:
            assert answer.status == 200
            assert (await answer.json())["id"] == first
    assert await worker.redis.get(key) == known, "Redis is corrected"
    assert 0 < await worker.redis.ttl(key) <= 86_400
