"""A poison message on a queue of the agents becomes a row with its reason; the worker goes on."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import Row, func, select

from shared.persistence.tables import dead_letter
from shared.queueing.task_names import TaskName
from shared.queueing.topology import AGENT_QUEUES
from tests.integration.queueing.queue_contents import push_raw, put, put_many
from tests.integration.queueing.unreadable import put_swollen, put_unreadable
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.road import Road, eventually
from tests.integration.workers.stack import Stack

TRIPLE = json.dumps([["resp_1", "standard", "2030-01-01T00:00:00Z"], {}, {}])
NO_ID = json.dumps([[], {"message_id": 5, "lane": "x", "deadline": ""}, {}])
TASK = {"task": TaskName.ANSWER.value}
POISONS: list[tuple[str, dict[str, Any], str]] = [
    ("{no json", {**TASK, "id": "p1"}, "malformed"),
    (TRIPLE, TASK, "malformed"),  # no id
    ('{"hello": 1}', {**TASK, "id": "p2"}, "malformed"),  # no triple
    ('{"hello": 1}', {}, "malformed"),  # no headers at all
    (TRIPLE, {**TASK, "id": "p3", "timelimit": 7}, "malformed"),
    (TRIPLE, {"task": "nobody.knows", "id": "p4"}, "unknown_task"),
    (json.dumps([["x" * 10_000_000], {}, {}]), {**TASK, "id": "p5"}, "too_large"),
    (TRIPLE, {"task": "celery.backend_cleanup", "id": "p6"}, "unknown_task"),
    (TRIPLE, {**TASK, "id": "p7", "kwargsrepr": "{...}"}, "invalid"),  # positional
    (
        json.dumps([[], {"message_id": 5, "lane": "x", "deadline": ""}, {}]),
        {**TASK, "id": "p8"},
        "invalid",
    ),
]


async def test_every_poison_is_a_dead_letter_with_its_reason(
    road: Road, stack: Stack, worker: AgentWorker
) -> None:
    broker = stack.settings.broker
    for number, (body, headers, _) in enumerate(POISONS):
        queue = AGENT_QUEUES[number % len(AGENT_QUEUES)].value
        await asyncio.to_thread(put, broker, queue, body, headers=headers)
    letters = await eventually(lambda: _letters(road, len(POISONS)), "every dead letter")
    assert sorted(letter.reason for letter in letters) == sorted(reason for *_, reason in POISONS)
    assert all(letter.detail for letter in letters), "each says what is wrong with it"
    assert all(len(letter.body) <= 65_536 for letter in letters)
    assert {letter.queue for letter in letters} == {queue.value for queue in AGENT_QUEUES}
    await _still_answers(road, worker)


async def test_a_list_item_that_is_no_message_is_a_dead_letter(
    road: Road, stack: Stack, worker: AgentWorker
) -> None:
    broker = stack.settings.broker
    if not broker.is_redis:
        pytest.skip("RabbitMQ lets nothing in that is no message.")
    known = len(await road.dead_letters())
    for item in (b"\xff\xfe", b"not json", b"12", b'{"body": 5}'):
        await asyncio.to_thread(push_raw, broker, "agent.standard", item)
    letters = await eventually(lambda: _letters(road, known + 4), "four dead letters")
    assert {letter.reason for letter in letters[known:]} == {"malformed"}
    await _still_answers(road, worker)


async def test_what_cannot_be_taken_apart_is_buried_once_and_delays_nobody(
    road: Road, stack: Stack, worker: AgentWorker
) -> None:
    broker, known = stack.settings.broker, len(await road.dead_letters())
    reasons = await asyncio.to_thread(put_unreadable, broker, "agent.standard")
    await asyncio.to_thread(put_swollen, broker, "agent.standard", megabytes=8)
    await _still_answers(road, worker)
    await eventually(lambda: _letters(road, known + len(reasons) + 1), "every dead letter")
    letters = await road.dead_letters()
    found = Counter(str(letter.reason) for letter in letters)
    assert found["malformed"] >= len(reasons)
    assert len(letters) == known + len(reasons) + 1


async def test_a_crowd_of_bad_messages_delays_an_innocent_one_by_little(
    road: Road, stack: Stack, worker: AgentWorker
) -> None:
    broker, crowd = stack.settings.broker, 300
    known = len(await road.dead_letters())
    await asyncio.to_thread(put_many, broker, "agent.standard", [f"bad {n}" for n in range(crowd)])
    await _still_answers(road, worker)
    await eventually(lambda: _letters(road, known + crowd), "every dead letter", seconds=60)


async def _letters(road: Road, count: int) -> list[Row[Any]] | None:
    async with road.database.relaxed.connect() as connection:
        found = await connection.scalar(select(func.count()).select_from(dead_letter)) or 0
    return await road.dead_letters() if found >= count else None


async def _still_answers(road: Road, worker: AgentWorker) -> None:
    """Before its deadline, a minute after it came."""
    assert (await road.ended(await road.accept("still there?"))).attempt == 1
    assert worker.is_running
