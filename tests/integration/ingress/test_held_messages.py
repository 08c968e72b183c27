"""A message that finds no credit is accepted and held: on disk, explained, and published by nobody
but the dispatcher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import openai
import pytest
from kombu import Message
from redis.asyncio import Redis

from deploy.cli.__main__ import DONE, run
from shared.clock import SystemClock
from shared.dispatch.credit import CREDIT_KEY, HINT_CHANNEL, Credits, LaneSlots
from shared.dispatch.flows import FLOWS_KEY, Flow, FlowBoard, FlowFigures
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.persistence.ledger.held.held_messages import HeldMessages
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote
from shared.queueing.topology import lane_queue
from shared.redis.client import open_redis
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import run_scripts
from shared.settings import Settings
from tests.integration.ingress.stand_in_worker import StandInWorker
from tests.integration.queueing.queue_contents import body_of, drain

LONG_SECONDS = 600.0
FULL = LaneSlots(0, 4, has_backlog=True)


class StandInLeader:
    """Says of the lanes and flows what a test wants said."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._broker = settings.broker
        self.redis = redis
        self._board = FlowBoard(GuardedRedis(redis, SystemClock()))

    async def leads(self, **lanes: LaneSlots) -> None:
        told = {Lane(lane): slots for lane, slots in lanes.items()}
        run = Credits().setting(told, lease_seconds=LONG_SECONDS)
        assert await run_scripts(self.redis, [run]) == [1]

    async def tells(self, flows: dict[Flow, FlowFigures]) -> None:
        await run_scripts(
            self.redis, self._board.writing(flows, leader="w1", lease_seconds=LONG_SECONDS)
        )

    async def published(self, number: int, lane: Lane = Lane.STANDARD) -> list[str]:
        """The ids that are published, as soon as there are so many."""
        queue, found = lane_queue(lane), list[Message]()
        async with asyncio.timeout(60):
            while len(found) < number:
                found += await asyncio.to_thread(lambda: list(drain(self._broker, queue)))
                await asyncio.sleep(0.01)
        return [body_of(each)[1]["message_id"] for each in found]


@pytest.fixture
async def leader(settings: Settings) -> AsyncIterator[StandInLeader]:
    async with open_redis(settings.redis) as redis:
        yield StandInLeader(settings, redis)


async def posted(client: openai.AsyncOpenAI, tier: str = "default") -> str:
    made = await client.responses.create(
        input="Hi", background=True, extra_body={"service_tier": tier}
    )
    return made.id


async def found(worker: StandInWorker, message_id: str) -> MessageRecord:
    record = await worker.ledger.find(message_id)
    assert record is not None
    return record


async def test_nobody_dispatches_and_all_is_published(
    client: openai.AsyncOpenAI, leader: StandInLeader, worker: StandInWorker
) -> None:
    message_id = await posted(client)
    assert await leader.published(1) == [message_id]
    assert (await found(worker, message_id)).held_at is None


async def test_with_a_credit_it_is_published_at_once_and_without_one_held(
    client: openai.AsyncOpenAI, leader: StandInLeader, worker: StandInWorker
) -> None:
    await leader.leads(standard=LaneSlots(1, 4, has_backlog=False))
    first, second = await posted(client), await posted(client)
    # The third comes after the second, whose wake-up would be before it in the queue.
    await leader.leads(standard=LaneSlots(1, 4, has_backlog=False))
    third = await posted(client)

    assert await leader.published(2) == [first, third]
    held = await found(worker, second)
    assert held.held_at == held.accepted_at
    assert held.released_at is None
    assert (await found(worker, third)).held_at is None


async def test_batch_messages_are_held_whatever_is_free(
    client: openai.AsyncOpenAI, leader: StandInLeader, worker: StandInWorker
) -> None:
    free = LaneSlots(4, 4, has_backlog=False)
    await leader.leads(standard=free, batch=free)
    held, published = await posted(client, "flex"), await posted(client)

    assert await leader.published(1) == [published]
    assert (await found(worker, held)).held_at is not None
    assert (await leader.redis.hget(CREDIT_KEY, "free:batch")) == b"4"


async def test_the_dispatcher_hears_of_it_and_not_of_what_is_published(
    client: openai.AsyncOpenAI, leader: StandInLeader
) -> None:
    async with leader.redis.pubsub() as heard:
        await heard.subscribe(HINT_CHANNEL)
        assert (await heard.get_message(timeout=60))["type"] == "subscribe"
        await leader.leads(standard=LaneSlots(1, 4, has_backlog=False), interactive=FULL)
        await posted(client)
        await posted(client, "priority")
        hint = await heard.get_message(timeout=60, ignore_subscribe_messages=True)
    assert hint is not None
    assert hint["data"] == b"interactive"


async def test_a_redis_that_was_flushed_holds_nobody(
    client: openai.AsyncOpenAI, leader: StandInLeader
) -> None:
    await leader.leads(standard=FULL)
    await posted(client)
    await leader.redis.flushdb()
    message_id = await posted(client)
    assert await leader.published(1) == [message_id]


async def test_what_lies_under_the_key_may_be_anything(
    client: openai.AsyncOpenAI, leader: StandInLeader
) -> None:
    await leader.redis.set(CREDIT_KEY, "of another version")
    await leader.redis.set(FLOWS_KEY, "of another version")
    message_id = await posted(client)
    assert await leader.published(1) == [message_id]


async def test_a_repeat_under_its_key_is_told_the_message_that_is_held(
    http: aiohttp.ClientSession, leader: StandInLeader, worker: StandInWorker
) -> None:
    await leader.leads(standard=FULL)
    ids = set()
    for _ in range(2):
        async with http.post(
            "/v1/responses",
            json={"input": "Hi", "background": True},
            headers={"Idempotency-Key": "k"},
        ) as answer:
            assert answer.status == 200, await answer.text()
            ids.add((await answer.json())["id"])
    assert await worker.queued() == list(ids)


async def test_a_held_response_says_why_it_waits_and_for_how_long(
    http: aiohttp.ClientSession, leader: StandInLeader, worker: StandInWorker
) -> None:
    await leader.leads(standard=FULL)
    async with http.post("/v1/responses", json={"input": "Hi", "background": True}) as answer:
        accepted = await answer.json()
    assert (
        accepted["waiting"]["reason"]
        == "No worker dispatches right now; the next that starts will."
    )
    tenant_id = (await found(worker, accepted["id"])).tenant_id
    await leader.tells(
        {
            Flow(Lane.STANDARD, tenant_id): FlowFigures(
                backlog=10,
                backlog_units=4_000.0,
                share=0.25,
                # So long ago that what came since is its very end.
                oldest_seconds=1e9,
                eta_seconds=12.0,
                reason="Its share is used.",
            )
        }
    )

    async with http.get(f"/v1/responses/{accepted['id']}") as answer:
        told = await answer.json()
    assert told["status"] == "queued"
    assert told["waiting"] == {
        "position_units": 4_000,
        "share": 0.25,
        "reason": "Its share is used.",
        "eta_seconds": 12.0,
    }
    async with http.get(f"/v1/responses/{accepted['id']}", headers={"Prefer": "wait=0"}) as answer:
        assert (await answer.json())["waiting"] == told["waiting"]


async def test_what_is_not_held_says_nothing_of_waiting(
    http: aiohttp.ClientSession, leader: StandInLeader
) -> None:
    await leader.leads(standard=LaneSlots(1, 4, has_backlog=False))
    async with http.post("/v1/responses", json={"input": "Hi", "background": True}) as answer:
        assert "waiting" not in await answer.json()


async def test_it_is_cancelled_like_any_other(
    client: openai.AsyncOpenAI, leader: StandInLeader
) -> None:
    await leader.leads(standard=FULL)
    cancelled = await client.responses.cancel(await posted(client))
    assert cancelled.status == "cancelled"


async def test_forebay_show_says_since_when_it_is_held_and_afterwards_why(
    client: openai.AsyncOpenAI,
    leader: StandInLeader,
    worker: StandInWorker,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FOREBAY_LEDGER__URL", str(settings.ledger.url))
    await leader.leads(standard=FULL)
    message_id = await posted(client)
    assert await asyncio.to_thread(run, ["show", message_id]) == DONE
    (held,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("held")]
    assert held.endswith(" UTC, to now")
    now = SystemClock().now()
    note = WaitNote(cause=WaitCause.NO_WORKER, since=now, until=now, why="No worker answers.")
    releasing = HeldMessages(worker.database, SystemClock(), wake_after_seconds=60)
    await releasing.release([message_id], notes={message_id: note.line()})
    assert await asyncio.to_thread(run, ["show", message_id]) == DONE
    (waited,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("waited")]
    assert waited.endswith(" s, held in standard: No worker answers.")
