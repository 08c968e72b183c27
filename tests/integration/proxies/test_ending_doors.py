"""Doors that end behind a proxy: nobody is refused, and nobody is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from shared.messages.record import MessageRecord
from tests.integration.ingress.stand_in_worker import StandInWorker
from tests.integration.proxies.conftest import Doors
from tests.servers.proxies import HaproxyServer, NginxServer, ProxyServer

HELD = {"input": "held", "stream": True}


class Traffic:
    """Callers who ask again as soon as they were answered, and what they were told."""

    def __init__(self, http: aiohttp.ClientSession, callers: int = 4) -> None:
        self._http = http
        self._rounds = [0] * callers
        self.statuses: list[int] = []

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._ask(caller)) for caller in range(len(self._rounds))]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    async def once_around(self) -> None:
        """Returns when every caller was answered to what it asked after this began."""
        begun = [rounds + 2 for rounds in self._rounds]
        while any(here < there for here, there in zip(self._rounds, begun, strict=True)):  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    async def _ask(self, caller: int) -> None:
        while True:
            async with self._http.post("/v1/responses", json={"input": "Hi"}) as answer:
                await answer.read()
            self.statuses.append(answer.status)
            self._rounds[caller] += 1


@pytest.mark.parametrize("proxy", [HaproxyServer], indirect=True)
async def test_a_door_ends_and_nobody_notices(
    http: aiohttp.ClientSession, worker: StandInWorker, doors: Doors, proxy: ProxyServer
) -> None:
    async with http.post("/v1/responses", json=HELD) as one:
        first = await _begun(worker, one)
        async with http.post("/v1/responses", json=HELD) as other:
            second = await _begun(worker, other)  # at the other door, which has less to do
            worker.serve()
            traffic = Traffic(http)
            async with traffic.flowing():
                await traffic.once_around()
                doors[0].tell_to_end()
                await _until_said(proxy, "Server doors/door1 is DOWN")
                await traffic.once_around()  # what was on its way to it has been answered
                doors[0].tell_to_end()
                await doors[0].until_it_takes_nobody_new()
                await traffic.once_around()
                assert doors[0].is_running  # for the stream that it has in hand
                for record, stream in ((first, one), (second, other)):
                    await worker.end_stream(record, "first ")
                    assert b"response.completed" in await stream.content.read()
                await asyncio.to_thread(doors[0].close)
                await traffic.once_around()
    assert set(traffic.statuses) == {200}


@pytest.mark.parametrize("proxy", [NginxServer, HaproxyServer], indirect=True)
async def test_a_door_that_is_gone_is_asked_nothing(
    http: aiohttp.ClientSession, worker: StandInWorker, doors: Doors
) -> None:
    worker.serve()
    doors[0].tell_to_end()
    doors[0].close()
    traffic = Traffic(http)
    async with traffic.flowing():
        await traffic.once_around()
    assert set(traffic.statuses) == {200}


async def _begun(worker: StandInWorker, stream: aiohttp.ClientResponse) -> MessageRecord:
    """The message of a stream whose first word has arrived."""
    record = await worker.claim(await worker.next_queued())
    await worker.begin_stream(record)
    await worker.stream_words(record, ["first "])
    await stream.content.readuntil(b'"delta":"first "')
    return record


async def _until_said(proxy: ProxyServer, words: str) -> None:
    while words not in proxy.said:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)
