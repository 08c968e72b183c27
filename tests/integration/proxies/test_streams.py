"""What takes its time passes a proxy while it is made: streams, and those who wait."""

from __future__ import annotations

import asyncio

import aiohttp

from tests.integration.ingress.stand_in_worker import StandInWorker


async def test_an_event_arrives_before_the_next_one_is_made(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    async with http.post("/v1/responses", json={"input": "Hi", "stream": True}) as stream:
        record = await worker.claim(await worker.next_queued())
        await worker.begin_stream(record)
        for word in ("first ", "second "):
            await worker.stream_words(record, [word])
            await stream.content.readuntil(b'"delta":"%b"' % word.encode())
        await worker.end_stream(record, "first second ")
        assert b"response.completed" in await stream.content.read()


async def test_whoever_waits_is_answered_by_whichever_door(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    async with http.post("/v1/responses", json={"input": "Hi", "background": True}) as answer:
        message_id = (await answer.json())["id"]
    waiting = [
        asyncio.create_task(http.get(f"/v1/responses/{message_id}", headers={"Prefer": "wait=50"}))
        for _ in range(4)
    ]
    await worker.until_somebody_waits(message_id)
    await worker.answer(await worker.claim(message_id), "there")
    for answered in await asyncio.gather(*waiting):
        assert (await answered.json())["status"] == "completed"
