"""What OpenAI's client asks of batches, before any worker has looked at one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import aiohttp
import openai
import pytest
from sqlalchemy import insert

from shared.clock import SystemClock
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import worker_lease
from tests.integration.ingress.batches.conftest import Upload, lines
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.contract import Contract
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker

UNKNOWN = f"batch_{'0' * 32}"
NOT_RUN = (
    "/v1/completions",
    "/v1/moderations",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/videos",
)
BAD: list[tuple[dict[str, Any], int, str | None]] = [
    ({"endpoint": "/v1/nothing"}, 400, "endpoint"),
    ({"endpoint": None}, 400, "endpoint"),
    ({"completion_window": "48h"}, 400, "completion_window"),
    ({"completion_window": "1d"}, 400, "completion_window"),
    ({"completion_window": "0h"}, 400, "completion_window"),
    ({"completion_window": "١h"}, 400, "completion_window"),
    ({"input_file_id": f"file-{'0' * 32}"}, 404, "input_file_id"),
    ({"input_file_id": "\0"}, 404, "input_file_id"),
    ({"input_file_id": 1}, 400, "input_file_id"),
    ({"metadata": {"a": 1}}, 400, "metadata"),
    ({"metadata": {str(n): "" for n in range(17)}}, 400, "metadata"),
    (
        {"output_expires_after": {"anchor": "created_at", "seconds": 60}},
        400,
        "output_expires_after.seconds",
    ),
    ({"output_expires_after": {"anchor": "x", "seconds": 3_600}}, 400, None),
    ({"idempotency_key": "x"}, 400, "idempotency_key"),
]


def asked(file_id: str, **fields: Any) -> dict[str, Any]:
    usual = {
        "input_file_id": file_id,
        "endpoint": "/v1/responses",
        "completion_window": "24h",
    }
    return usual | fields


async def test_a_batch_is_openais_and_says_what_it_is_expected_to_take(
    http: aiohttp.ClientSession, contract: Contract, upload: Upload
) -> None:
    body = asked(await upload(), metadata={"night": "1"}, completion_window="30m")
    async with http.post("/v1/batches", json=body) as answer:
        made = await answer.json()
    assert answer.status == 200, made
    contract.check("Batch", made)
    assert made["status"] == "validating"
    assert made["completion_window"] == "30m"
    assert made["expires_at"] - made["created_at"] == 1_800
    assert made["metadata"] == {"night": "1"}
    estimate = made["forebay"]["estimate"]
    assert estimate["messages"] == 3
    assert estimate["input_tokens"] > 0
    assert made["forebay"]["progress"]["share"] == 0
    async with http.get(f"/v1/batches/{made['id']}") as answer:
        contract.check("Batch", await answer.json())


async def test_the_same_asked_again_is_the_same_batch(
    client: openai.AsyncOpenAI, upload: Upload
) -> None:
    file_id = await upload()
    first = await client.batches.create(**asked(file_id))
    again = await client.batches.create(**asked(file_id))
    other = await client.batches.create(**asked(file_id, metadata={"a": "b"}))
    assert again.id == first.id
    assert other.id != first.id


async def test_pages_of_a_list_follow_each_other_to_the_end(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, contract: Contract, upload: Upload
) -> None:
    file_id = await upload()
    made = [
        (await client.batches.create(**asked(file_id, metadata={"nth": str(nth)}))).id
        for nth in range(5)
    ]
    seen = [batch.id async for batch in client.batches.list(limit=2)]
    assert seen == made[::-1]
    async with http.get("/v1/batches?limit=5") as answer:
        page = await answer.json()
    contract.check("ListBatchesResponse", page)
    assert page["has_more"] is False
    async with http.get(f"/v1/batches?after={made[0]}") as answer:
        assert (await answer.json())["data"] == []


async def test_a_batch_that_waits_is_cancelled_and_one_that_failed_cannot_be(
    client: openai.AsyncOpenAI, upload: Upload
) -> None:
    file_id = await upload()
    waiting = await client.batches.create(**asked(file_id))
    cancelled = await client.batches.cancel(waiting.id)
    assert cancelled.status == "cancelling"
    assert cancelled.cancelling_at is not None
    assert (await client.batches.cancel(waiting.id)).status == "cancelling"
    failed = await client.batches.create(**asked(file_id, endpoint="/v1/moderations"))
    with pytest.raises(openai.ConflictError, match="failed already"):
        await client.batches.cancel(failed.id)


async def test_a_line_is_cancelled_by_its_name_alone_and_what_is_wrong_is_said(
    http: aiohttp.ClientSession, client: openai.AsyncOpenAI, upload: Upload
) -> None:
    made = await client.batches.create(**asked(await upload()))
    for body, status, param in (
        ({}, 400, "custom_id"),
        ({"custom_id": 7}, 400, "custom_id"),
        ({"custom_id": ""}, 400, "custom_id"),
        ({"custom_id": "x" * 513}, 400, "custom_id"),
        ({"custom_id": "line-1", "line": 2}, 400, "line"),
        ({"custom_id": "line-1"}, 409, None),
    ):
        async with http.post(f"/v1/batches/{made.id}/lines/cancel", json=body) as answer:
            error = (await answer.json())["error"]
        assert (answer.status, error["param"]) == (status, param), error
    assert "still read" in error["message"]
    assert (await client.batches.retrieve(made.id)).status == "validating"


async def test_an_endpoint_that_we_do_not_run_fails_the_batch_and_not_the_request(
    http: aiohttp.ClientSession, contract: Contract, upload: Upload
) -> None:
    file_id = await upload()
    for endpoint in NOT_RUN:
        async with http.post("/v1/batches", json=asked(file_id, endpoint=endpoint)) as answer:
            made = await answer.json()
        contract.check("Batch", made)
        assert (answer.status, made["status"]) == (200, "failed")
        [error] = made["errors"]["data"]
        assert error["param"] == "endpoint"
        assert "/v1/chat/completions" in error["message"]


async def test_what_is_wrong_with_the_request_is_named(
    http: aiohttp.ClientSession, upload: Upload
) -> None:
    file_id = await upload()
    for fields, status, param in BAD:
        async with http.post("/v1/batches", json=asked(file_id) | fields) as answer:
            error = (await answer.json())["error"]
        assert answer.status == status, error
        assert param in {None, error["param"]}
    async with http.get("/v1/batches") as answer:
        assert (await answer.json())["data"] == []


async def test_a_file_of_another_purpose_is_no_batch(
    client: openai.AsyncOpenAI, upload: Upload
) -> None:
    file_id = await upload(lines(), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="purpose batch"):
        await client.batches.create(**asked(file_id))


async def test_another_tenants_batches_and_files_do_not_exist(
    door: RunningDoor, make_key: MakeKey, client: openai.AsyncOpenAI, upload: Upload
) -> None:
    file_id = await upload()
    made = await client.batches.create(**asked(file_id))
    key = await make_key("other")
    async with openai.AsyncOpenAI(api_key=key, base_url=f"{door.url}/v1", max_retries=0) as other:
        assert [batch async for batch in other.batches.list()] == []
        for asking in (
            other.batches.retrieve(made.id),
            other.batches.cancel(made.id),
            other.batches.create(**asked(file_id)),
        ):
            with pytest.raises(openai.NotFoundError):
                await asking


async def test_a_batch_that_is_not_there_is_said_to_be_unknown(
    http: aiohttp.ClientSession,
) -> None:
    for path in ("", "/cancel", "/lines/cancel", "/output", "/errors"):
        method = "POST" if path.endswith("/cancel") else "GET"
        for named in (UNKNOWN, "batch_x", "%00"):
            async with http.request(method, f"/v1/batches/{named}{path}") as answer:
                error = (await answer.json())["error"]
            assert (answer.status, error["code"]) == (404, "not_found")


async def test_a_query_that_makes_no_sense_is_refused(http: aiohttp.ClientSession) -> None:
    for query in ("limit=0", "limit=101", "after=x", "order=asc"):
        async with http.get(f"/v1/batches?{query}") as answer:
            error = (await answer.json())["error"]
        assert (answer.status, error["param"]) == (400, query.partition("=")[0])


async def test_nothing_is_there_to_read_before_anything_has_ended(
    http: aiohttp.ClientSession, client: openai.AsyncOpenAI, upload: Upload
) -> None:
    made = await client.batches.create(**asked(await upload()))
    for name in ("output", "errors"):
        async with http.get(f"/v1/batches/{made.id}/{name}") as answer:
            assert (answer.status, await answer.read()) == (200, b"")


async def test_when_it_is_expected_to_have_ended_is_told_as_soon_as_anybody_could_work_on_it(
    client: openai.AsyncOpenAI, upload: Upload, ledger: Database, worker: StandInWorker
) -> None:
    async def expected(window: str) -> tuple[int | None, str | None]:
        made: Any = await client.batches.create(**asked(await upload(), completion_window=window))
        estimate = made.forebay["estimate"]
        ends_at = estimate["ends_at"]
        return ends_at and ends_at - made.created_at, estimate["ends_at_by"]

    assert await expected("1h") == (None, None), "nothing runs"
    until = SystemClock().now() + timedelta(minutes=5)
    offer = {"worker": "w", "lease_until": until, "concurrency": 2, "lanes": "batch"}
    async with transaction(ledger.durable) as connection:
        await connection.execute(insert(worker_lease).values(offer))
    guess = await expected("1h")
    assert guess == (pytest.approx(594, abs=2), "guess")
    sent = await client.responses.create(input="Hi", background=True, service_tier="flex")
    await worker.answer(await worker.claim(sent.id), "Hello.")
    seconds, basis = await expected("1h")
    assert basis == "calls"
    assert seconds is not None
    assert seconds < 594
