"""/v1/responses/{id}: poll, long-poll, resume, cancel, delete; and never another tenant's."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import openai
import pytest

from ingress import ledger_watch
from shared.messages.events import closing_event
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker


async def queued_id(client: openai.AsyncOpenAI, **more: object) -> str:
    return (await client.responses.create(input="Hi", background=True, extra_body=more)).id


async def events_of(
    http: aiohttp.ClientSession, message_id: str, query: str = "", **headers: str
) -> list[tuple[int, str]]:
    """(number, type) of each event of a followed response."""
    path = f"/v1/responses/{message_id}?stream=true{query}"
    async with http.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        lines = (await answer.text()).splitlines()
    kinds = [line[7:] for line in lines if line.startswith("event: ")]
    numbers = [int(line[4:]) for line in lines if line.startswith("id: ")]
    return list(zip(numbers, kinds, strict=True))


@pytest.fixture
def only_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the ledger by himself."""
    monkeypatch.setattr(ledger_watch, "LOOK_SECONDS", 600.0)


@pytest.mark.usefixtures("only_woken")
async def test_a_long_poll_returns_the_moment_the_response_ends(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    message_id = await queued_id(client)
    record = await worker.claim(message_id)
    polling = asyncio.create_task(
        http.get(f"/v1/responses/{message_id}", headers={"Prefer": "wait=60"})
    )
    await worker.until_somebody_waits(message_id)
    assert not polling.done()
    began = time.monotonic()
    await worker.answer(record, "Hi")
    async with await polling as answer:
        assert (await answer.json())["status"] == "completed"
    assert time.monotonic() - began < 30
    assert answer.headers["preference-applied"] == "wait=60"


async def test_a_long_poll_gives_up_when_asked_to(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession
) -> None:
    message_id = await queued_id(client)
    began = time.monotonic()
    async with http.get(f"/v1/responses/{message_id}", headers={"Prefer": "wait=1"}) as answer:
        assert (await answer.json())["status"] == "queued"
    assert 0.9 < time.monotonic() - began < 60


async def test_only_a_completed_response_can_be_continued(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    running, failed, done = [await worker.claim(await queued_id(client)) for _ in range(3)]
    await worker.fail(failed)
    await worker.answer(done, "Hello")
    for record, state in ((running, "in_progress"), (failed, "failed")):
        with pytest.raises(openai.BadRequestError, match=state) as refused:
            await queued_id(client, previous_response_id=record.id)
        assert refused.value.param == "previous_response_id"
        assert refused.value.code == "previous_response_not_completed"
    assert await queued_id(client, previous_response_id=done.id)


async def test_a_conversation_begins_with_the_first_message_that_names_it(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    record = await worker.claim(await queued_id(client, conversation="conv_of_my_own"))
    assert record.conversation_id == "conv_of_my_own"


async def test_a_cut_stream_goes_on_where_it_was_cut(
    client: openai.AsyncOpenAI, worker: StandInWorker, http: aiohttp.ClientSession
) -> None:
    stream = await client.responses.create(input="Hi", stream=True, background=True)
    record = await worker.claim(await worker.next_queued())
    await worker.begin_stream(record)
    await worker.stream_words(record, ["one "])
    heard = []
    async for event in stream:
        heard.append(event.sequence_number)
        if event.type == "response.output_text.delta":
            break
    await stream.close()
    await worker.stream_words(record, ["two"])
    await worker.end_stream(record, "one two")
    resumed = await client.responses.retrieve(record.id, stream=True, starting_after=heard[-1])
    rest = [event async for event in resumed]
    assert [*heard, *(event.sequence_number for event in rest)] == list(range(11))
    assert rest[0].type == "response.output_text.delta"
    assert rest[-1].type == "response.completed"
    by_header = await events_of(http, record.id, **{"Last-Event-ID": str(heard[-1])})
    assert [number for number, _ in by_header] == [event.sequence_number for event in rest]


async def test_a_stream_that_redis_forgot_is_told_from_the_ledger(
    client: openai.AsyncOpenAI, worker: StandInWorker, http: aiohttp.ClientSession
) -> None:
    message_id = await queued_id(client)
    await worker.answer(await worker.claim(message_id), "Hi")
    await worker.redis.flushdb()
    told = await events_of(http, message_id)
    assert [number for number, _ in told] == list(range(10))
    assert told[-1][1] == "response.completed"
    assert "response.output_text.delta" in {kind for _, kind in told}
    assert await events_of(http, message_id, "&starting_after=7") == told[8:]


async def test_whoever_has_the_last_event_hears_nothing_more(
    client: openai.AsyncOpenAI, worker: StandInWorker, http: aiohttp.ClientSession
) -> None:
    message_id = await queued_id(client)
    await worker.answer(await worker.claim(message_id), "Hi")
    whole = await events_of(http, message_id)
    assert whole[0] == (0, "response.created")
    assert whole[-1] == (9, "response.completed")
    for heard in range(10):
        assert await events_of(http, message_id, f"&starting_after={heard}") == whole[heard + 1 :]


async def test_a_handed_off_stream_goes_on_when_the_human_has_answered(
    client: openai.AsyncOpenAI, worker: StandInWorker, http: aiohttp.ClientSession
) -> None:
    message_id = await queued_id(client)
    record = await worker.claim(message_id)
    await worker.hand_over(record, "Wait")
    assert (await events_of(http, message_id))[-1] == (2, "response.requires_action")
    following = asyncio.create_task(events_of(http, message_id, "&starting_after=2"))
    await worker.until_somebody_waits(message_id)
    assert not following.done()
    cancelled = await client.responses.cancel(message_id)
    assert cancelled.status == "cancelled"
    assert await following == [(3, "response.cancelled")]


@pytest.mark.usefixtures("only_woken")
async def test_cancelling_ends_a_wait_at_once_and_stops_the_worker(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    waiting = asyncio.create_task(client.responses.create(input="Hi"))
    message_id = await worker.next_queued()
    await worker.until_somebody_waits(message_id)
    began = time.monotonic()
    await client.responses.cancel(message_id)
    assert (await waiting).status == "cancelled"
    assert time.monotonic() - began < 30
    assert await worker.queued() == []


async def test_cancelling_what_has_ended_changes_nothing(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    message_id = await queued_id(client)
    await worker.answer(await worker.claim(message_id), "Hi")
    assert (await client.responses.cancel(message_id)).status == "completed"


async def test_deleting_forgets_the_response_and_its_events(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    message_id = await queued_id(client)
    with pytest.raises(openai.ConflictError):
        await client.responses.delete(message_id)
    await worker.answer(await worker.claim(message_id), "Hi")
    await client.responses.delete(message_id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(message_id)
    assert await worker.stream.read(message_id, after=-1) == []


async def test_another_tenants_response_does_not_exist(
    client: openai.AsyncOpenAI, door: RunningDoor, make_key: MakeKey
) -> None:
    message_id = await queued_id(client)
    stranger = openai.AsyncOpenAI(
        api_key=await make_key("other"), base_url=f"{door.url}/v1", max_retries=0
    )
    for call in (
        stranger.responses.retrieve(message_id),
        stranger.responses.cancel(message_id),
        stranger.responses.delete(message_id),
        stranger.responses.create(input="Hi", previous_response_id=message_id),
    ):
        with pytest.raises(openai.APIStatusError) as raised:
            await call
        assert raised.value.status_code in {400, 404}
    await stranger.close()
    assert (await client.responses.retrieve(message_id)).status == "queued"


async def test_a_closing_event_is_not_told_twice_when_the_ledger_is_first(
    client: openai.AsyncOpenAI, worker: StandInWorker, http: aiohttp.ClientSession
) -> None:
    message_id = await queued_id(client)
    ended = await worker.settle(await worker.claim(message_id), output_text="Hi")
    told = await events_of(http, message_id)
    await worker.say(ended, [closing_event(ended)])
    assert [kind for _, kind in told].count("response.completed") == 1
