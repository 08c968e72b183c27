"""`store: false` over HTTP: had again for a while, in no conversation, and gone for good after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import openai
import pytest
from sqlalchemy import select

from shared.clock import ManualClock
from shared.erasing.unstored import FETCHED_GRACE, UnstoredMessages
from shared.persistence.tables import message
from shared.settings import Settings
from tests.integration.ingress.stand_in_worker import StandInWorker

KEY = {"Idempotency-Key": "order-1"}
Forget = Callable[[timedelta], Awaitable[int]]


@pytest.fixture
def forget(worker: StandInWorker, settings: Settings) -> Forget:
    """The sweep, as it would be so much later."""

    async def sweep(later: timedelta) -> int:
        clock = ManualClock(datetime.now(UTC) + later)
        unstored = UnstoredMessages(worker.database, worker.stream, settings.ledger, clock)
        return await unstored.forget()

    return sweep


async def _until_noted(worker: StandInWorker, message_id: str) -> None:
    """Returns when the door has noted that the caller has the answer."""
    query = select(message.c.replied_at).where(message.c.id == message_id)
    while True:
        async with worker.database.relaxed.connect() as connection:
            if await connection.scalar(query) is not None:
                return
        await asyncio.sleep(0.005)  # another process notes it


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/responses", {"input": "Hi"}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
    ],
)
async def test_an_answer_that_was_delivered_is_gone_soon_after_and_is_not_given_twice(
    http: aiohttp.ClientSession,
    worker: StandInWorker,
    forget: Forget,
    path: str,
    asked: dict[str, object],
    stream: bool,
) -> None:
    worker.serve(lambda _: "Forebay")
    body = {**asked, "store": False, "stream": stream}
    async with http.post(path, json=body, headers=KEY) as answer:
        assert "Forebay" in await answer.text()
        message_id = answer.headers["x-forebay-response-id"]
    await _until_noted(worker, message_id)
    assert await forget(timedelta(0)) == 0
    async with http.post(path, json=body, headers=KEY) as again:
        assert "Forebay" in await again.text()
    assert await forget(FETCHED_GRACE + timedelta(seconds=60)) == 1
    for flushed in (False, True):
        if flushed:
            await worker.redis.flushdb()
        async with http.post(path, json=body, headers=KEY) as late:
            error = (await late.json())["error"]
            assert (late.status, error["code"]) == (410, "gone")
            assert "new idempotency key" in error["message"]
    async with http.get(f"/v1/responses/{message_id}") as gone:
        assert gone.status == 404
    async with http.delete(f"/v1/responses/{message_id}") as gone:
        assert gone.status == 404


async def test_who_lost_the_connection_gets_it_until_its_time_is_up(
    http: aiohttp.ClientSession, worker: StandInWorker, forget: Forget, settings: Settings
) -> None:
    body = {"input": "Hi", "store": False}
    waiting = asyncio.create_task(http.post("/v1/responses", json=body, headers=KEY))
    record = await worker.claim(await worker.next_queued())
    await worker.until_somebody_waits(record.id)
    waiting.cancel()
    await worker.until_nobody_waits(record.id)
    await worker.answer(record, "Ho")
    up = timedelta(seconds=settings.ledger.unstored_seconds)
    assert await forget(up - timedelta(seconds=60)) == 0
    async with http.get(f"/v1/responses/{record.id}") as answer:
        assert "Ho" in await answer.text()
    await _until_noted(worker, record.id)
    assert await forget(up) == 1


async def test_a_poll_of_what_still_runs_fetches_nothing(
    http: aiohttp.ClientSession, worker: StandInWorker, forget: Forget
) -> None:
    async with http.post("/v1/responses", json={"input": "Hi", "store": False, "background": True}):
        pass
    record = await worker.claim(await worker.next_queued())
    for prefer in ({}, {"Prefer": "wait=0"}):
        async with http.get(f"/v1/responses/{record.id}", headers=prefer) as poll:
            assert (await poll.json())["status"] == "in_progress"
    await worker.answer(record, "Ho")
    assert await forget(FETCHED_GRACE + timedelta(seconds=60)) == 0


async def test_nothing_continues_a_response_that_is_not_stored(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    worker.serve()
    first = await client.responses.create(input="Hi", store=False)
    assert first.store is False
    with pytest.raises(openai.BadRequestError) as raised:
        await client.responses.create(input="Ho", previous_response_id=first.id)
    assert raised.value.code == "previous_response_not_found"


async def test_a_deleted_response_is_not_answered_and_paid_for_a_second_time(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve()
    body = {"input": "Hi"}
    async with http.post("/v1/responses", json=body, headers=KEY) as answer:
        message_id = (await answer.json())["id"]
    async with http.delete(f"/v1/responses/{message_id}") as deleted:
        assert deleted.status == 200
    async with http.post("/v1/responses", json=body, headers=KEY) as again:
        assert again.status == 410
    other = {"Idempotency-Key": "order-2"}
    async with http.post("/v1/responses", json=body, headers=other) as anew:
        assert (await anew.json())["id"] != message_id


async def test_an_erasure_is_begun_once_and_told_until_it_is_done(
    http: aiohttp.ClientSession,
) -> None:
    async with http.post("/v1/erasures", json={"user": "ann"}) as answer:
        begun = await answer.json()
    assert (answer.status, begun["object"], begun["status"]) == (200, "erasure", "in_progress")
    assert begun["user"] == "ann"
    async with http.post("/v1/erasures", json={"user": "ann"}) as again:
        assert (await again.json())["id"] == begun["id"]
    async with http.get(f"/v1/erasures/{begun['id']}") as told:
        assert await told.json() == begun
    async with http.get("/v1/erasures/erasure_0") as none:
        assert none.status == 404
    for wrong in (
        {},
        {"user": "a", "conversation": "c"},
        {"user": ""},
        {"user": "a\0"},
        {"who": 1},
    ):
        async with http.post("/v1/erasures", json=wrong) as refused:
            assert refused.status == 400, wrong
