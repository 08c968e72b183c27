"""Feedback over HTTP: by every name of an answer, and of nobody else's."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import aiohttp
import anthropic
import openai
import pytest
from sqlalchemy import insert

from shared.batches.state import BatchEndpoint, BatchState, BatchSurface
from shared.batches.tables import batch, batch_item
from shared.persistence.statements import transaction
from shared.reservations.reservations import user_key
from shared.settings import Settings
from tests.integration.ingress.asking_messages import ASKED
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker

LIKED = {"name": "helpful", "value": True}


async def post(
    http: aiohttp.ClientSession, name: str, body: object = LIKED, **headers: str
) -> tuple[int, Any]:
    path = f"/v1/responses/{name}/feedback"
    async with http.post(path, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def given(http: aiohttp.ClientSession, name: str) -> list[dict[str, Any]]:
    async with http.get(f"/v1/responses/{name}/feedback") as answer:
        found: dict[str, Any] = await answer.json()
        assert (answer.status, found["object"]) == (200, "list"), found
        data: list[dict[str, Any]] = found["data"]
        return data


async def times_counted(http: aiohttp.ClientSession) -> float:
    """Verdicts for an answer that this door has counted."""
    async with http.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    of_feedback = [each for each in lines if each.startswith("forebay_feedback_total{")]
    (line,) = (each for each in of_feedback if '"positive"' in each and '"person"' in each)
    return float(line.rsplit(maxsplit=1)[1])


async def put_into_batch(worker: StandInWorker, message_id: str, tenant_id: str) -> str:
    """The id that the message has as a line of a batch's results."""
    now, digits = datetime.now(UTC), "b" * 32
    values = {"id": f"batch_{digits}", "tenant_id": tenant_id, "surface": BatchSurface.OPENAI}
    values |= {"endpoint": BatchEndpoint.RESPONSES, "content_id": "cont_1", "input_bytes": 1}
    values |= {"window_seconds": 1, "digest": "d", "state": BatchState.COMPLETED}
    values |= {"created_at": now, "expires_at": now, "cursor_bytes": 0, "cursor_line": 0}
    line = {"batch_id": values["id"], "line": 3, "custom_id": "c", "message_id": message_id}
    async with transaction(worker.database.durable) as connection:
        await connection.execute(insert(batch).values(**values))
        await connection.execute(insert(batch_item).values(**line))
    return f"batch_req_{digits}_3"


async def test_an_answer_is_judged_by_every_name_it_has(
    client: openai.AsyncOpenAI,
    anthropics: anthropic.AsyncAnthropic,
    http: aiohttp.ClientSession,
    worker: StandInWorker,
) -> None:
    worker.serve()
    response = await client.responses.create(input="Hi")
    completion = await client.chat.completions.create(
        model="auto", messages=[{"role": "user", "content": "Hi"}]
    )
    message = await anthropics.messages.create(**ASKED)
    owner = await worker.ledger.find(response.id)
    assert owner is not None
    line = await put_into_batch(worker, response.id, owner.tenant_id)
    for name in (response.id, completion.id, message.id):
        status, kept = await post(http, name, {"name": "stars", "value": 4, "scale": {"max": 5}})
        assert (status, kept["score"], kept["value"]) == (200, 0.8, 4)
        assert kept["response_id"][-32:] == name[-32:]
        (read,) = await given(http, name)
        assert read == kept
    status, kept = await post(http, line, {"name": "stars", "value": 1, "scale": {"max": 5}})
    assert (status, kept["response_id"]) == (200, response.id)
    assert [each["value"] for each in kept["earlier"]] == [4]
    assert (await post(http, line[:-1] + "4"))[0] == 404


async def test_what_is_anothers_or_is_not_there_is_the_same_404(
    client: openai.AsyncOpenAI,
    http: aiohttp.ClientSession,
    door: RunningDoor,
    make_key: MakeKey,
    worker: StandInWorker,
) -> None:
    worker.serve()
    response = await client.responses.create(input="Hi")
    await post(http, response.id)
    nobody = "resp_" + "0" * 32
    others = {"Authorization": f"Bearer {await make_key('other')}"}
    async with aiohttp.ClientSession(door.url, headers=others) as other:
        seconds: dict[str, list[float]] = {response.id: [], nobody: []}
        for name in (response.id, nobody) * 20:
            began = time.monotonic()
            status, told = await post(other, name)
            seconds[name].append(time.monotonic() - began)
            assert status == 404
            assert told["error"]["message"] == f"Response with id '{name}' not found."
            async with other.get(f"/v1/responses/{name}/feedback") as answer:
                assert answer.status == 404
    assert len(await given(http, response.id)) == 1


async def test_what_has_not_ended_is_not_judged_and_what_was_deleted_keeps_no_comment(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    running = await client.responses.create(input="Hi", background=True)
    status, told = await post(http, running.id)
    assert (status, told["error"]["code"]) == (409, "conflict")
    record = await worker.answer(await worker.claim(running.id), "Hi")
    assert (await post(http, record.id, {**LIKED, "comment": "Thanks, Ann"}))[0] == 200
    await client.responses.delete(record.id)
    (left,) = await given(http, record.id)
    assert (left["score"], left["comment"]) == (1.0, None)
    status, kept = await post(http, record.id, {**LIKED, "value": False, "comment": "Ann again"})
    assert (status, kept["comment"], kept["score"]) == (200, None, 0.0)


async def test_the_same_from_two_doors_at_once_is_one_verdict_and_counts_once(
    client: openai.AsyncOpenAI,
    http: aiohttp.ClientSession,
    settings: Settings,
    worker: StandInWorker,
) -> None:
    worker.serve()
    response = await client.responses.create(input="Hi")
    with RunningDoor(settings) as beside:
        async with aiohttp.ClientSession(beside.url, headers=http.headers) as other:
            asked = [post(each, response.id) for each in (http, other) * 8]
            answers = await asyncio.gather(*asked)
            counted = [await times_counted(each) for each in (http, other)]
    assert {status for status, _ in answers} == {200}
    kept = await given(http, response.id)
    assert [kept[0]] == [each for _, each in answers[:1]] == kept
    assert all(told == kept[0] for _, told in answers)
    assert sum(counted) == 1


async def test_a_flood_is_refused_with_what_to_do(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve()
    response = await client.responses.create(input="Hi")
    named = [post(http, response.id, {"name": f"n{n}", "value": True}) for n in range(40)]
    answers = await asyncio.gather(*named)
    assert sorted({status for status, _ in answers}) == [200, 409]
    assert sum(status == 200 for status, _ in answers) == 32
    for number in range(11):
        status, told = await post(http, response.id, {"name": "n0", "value": number / 100})
    assert (status, told["error"]["code"]) == (429, "feedback_too_often")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"name": "helpful"}, "value"),
        ({"name": "helpful", "value": 7}, "value"),
        ({"name": "helpful", "value": -1}, "value"),
        ({"name": "helpful", "value": 10**400}, "value"),
        ({"name": "helpful", "value": float("nan")}, None),
        ({"name": "helpful", "value": float("inf")}, None),
        ({"name": "helpful", "value": 1, "scale": {"min": 5, "max": 1}}, "scale"),
        ({"name": "helpful", "value": 1, "scale": {"min": -1e308, "max": 1e308}}, "scale"),
        ({"name": "helpful", "value": "<img src=x>"}, "value"),
        ({"name": "helpful", "value": True, "comment": "x" * 1_000_000}, "comment"),
        ({"name": "<script>", "value": True}, "name"),
        ({"name": "helpful", "value": True, "source": "a b"}, "source"),
    ],
)
async def test_a_bad_verdict_is_refused_by_its_field(
    http: aiohttp.ClientSession, body: object, param: str
) -> None:
    status, told = await post(http, "resp_" + "0" * 32, body)
    assert (status, told["error"]["param"]) == (400, param)


async def test_a_complaint_about_a_user_raises_that_users_risk_once(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve()
    response = await client.responses.create(input="Hi", safety_identifier="ann")
    owner = await worker.ledger.find(response.id)
    assert owner is not None
    key = user_key(owner.tenant_id, "ann")
    record = await worker.redis.dump(key)
    assert record
    await post(http, response.id, {"name": "helpful", "value": False})
    assert await worker.redis.dump(key) == record
    complaint = {"name": "abuse", "value": True, "source": "moderator"}
    await post(http, response.id, complaint)
    raised = await worker.redis.dump(key)
    assert raised != record
    await post(http, response.id, complaint)
    assert await worker.redis.dump(key) == raised
