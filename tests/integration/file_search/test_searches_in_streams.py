"""Who follows an answer as a stream sees its search begin, and sees it end once it has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.index.collections.collection import Collection
from tests.integration.conftest import OneMachine
from tests.integration.file_search.asking import search
from tests.integration.retrieval.searched_index import SearchedIndex
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import forget_leases
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.ports import free_port

BEGUN = [
    "response.in_progress",
    "response.output_item.added",
    "response.file_search_call.in_progress",
    "response.file_search_call.searching",
]
ENDED = ["response.file_search_call.completed", "response.output_item.done"]
QUOTED = 'Where is the "fish ladder"?'
"""Its quotes are looked up by words, by a keyword server too."""


class Gate:
    """A keyword server that holds whoever asks it, and hangs up when it is opened."""

    def __init__(self) -> None:
        self.asked = asyncio.Queue[None]()
        self._open = asyncio.Event()
        self._held: list[asyncio.StreamReader] = []
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        self._server = await asyncio.start_server(self._hold, "127.0.0.1", port)

    def open(self) -> None:
        self._open.set()

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody whom it holds has not given up."""
        return not self._open.is_set() and any(not each.at_eof() for each in self._held)

    async def close(self) -> None:
        self.open()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1024):
            self._held.append(reader)
            self.asked.put_nowait(None)
            await self._open.wait()
        writer.close()


@pytest.fixture(scope="module")
def gate_port() -> int:
    return free_port()


@pytest.fixture
async def gate(gate_port: int) -> AsyncIterator[Gate]:
    gate = Gate()
    await gate.start(gate_port)
    yield gate
    await gate.close()


@pytest.fixture(scope="module")
def stack(
    provider: ProviderThread,
    one_machine: OneMachine,
    gate_port: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stack:
    return one_machine(
        openai_link(provider.url, "first"),
        FOREBAY_INDEX__FOLDER=str(tmp_path_factory.mktemp("index")),
        FOREBAY_INDEX__MEILISEARCH__URL=f"http://127.0.0.1:{gate_port}",
    )


async def follow(events: Any, told: list[Any], *, until: str) -> None:
    async for event in events:
        told.append(event)
        if event.type == until:
            return


async def test_a_search_is_told_when_it_begins_and_when_it_ends(
    client: openai.AsyncOpenAI, provider: ProviderThread, docs: Collection, gate: Gate
) -> None:
    provider.behave(Kind.ANSWER, contains=QUOTED, text="Beside the dam [1].")
    stream = await client.responses.create(input=QUOTED, tools=search(docs), stream=True)
    told: list[Any] = []

    await follow(stream, told, until=BEGUN[-1])
    await gate.asked.get()
    assert [event.type for event in told[2:]] == BEGUN
    assert (told[3].item.status, told[3].item.queries) == ("in_progress", [QUOTED])
    assert gate.is_waited_for

    response_id = told[0].response.id
    resumed = await client.responses.retrieve(response_id, stream=True, starting_after=3)
    again: list[Any] = []
    await follow(resumed, again, until=BEGUN[-1])
    assert again == told[4:]

    gate.open()
    await follow(stream, told, until="response.completed")
    await follow(resumed, again, until="response.completed")
    assert again == told[4:]
    assert [event.type for event in told[6:9]] == [*ENDED, "response.output_item.added"]
    assert [event.sequence_number for event in told] == [*range(len(told))]
    done = [event.item for event in told if event.type == "response.output_item.done"]
    assert done == told[-1].response.output
    assert [item.type for item in done] == ["file_search_call", "message"]


async def test_a_search_that_died_with_its_worker_is_taken_back_and_told_anew(
    client: openai.AsyncOpenAI,
    provider: ProviderThread,
    docs: Collection,
    gate: Gate,
    worker: AgentWorker,
    index: SearchedIndex,
) -> None:
    question = f"{QUOTED} Again."
    provider.behave(Kind.ANSWER, contains=question, text="Beside the dam [1].")
    stream = await client.responses.create(input=question, tools=search(docs), stream=True)
    told: list[Any] = []
    await follow(stream, told, until=BEGUN[-1])
    await gate.asked.get()

    worker.kill()
    await forget_leases(index.database)
    worker.replace()
    await gate.asked.get()
    gate.open()
    await follow(stream, told, until="response.completed")

    assert [event.type for event in told[2:13]] == [*BEGUN, "response.restarted", *BEGUN, *ENDED]
    assert [event.sequence_number for event in told] == [*range(len(told))]
    done = [event.item for event in told if event.type == "response.output_item.done"]
    assert done == told[-1].response.output
    assert [item.type for item in done] == ["file_search_call", "message"]
