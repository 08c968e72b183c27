"""What Anthropic's client asks of batches, before any worker has looked at one."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import anthropic
import msgspec
import openai
import pytest

from shared.persistence.key_records import KeyReach
from shared.settings import Settings
from shared.settings.files import BatchSettings
from tests.integration.ingress.batches.conftest import Upload
from tests.integration.ingress.index.conftest import new_key

BATCHES = "/v1/messages/batches"
JSON = {"Content-Type": "application/json"}
PARAMS = {"model": "auto", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
BAD: list[tuple[object, str | None]] = [
    ({}, "requests"),
    ({"requests": []}, "requests"),
    ({"requests": [{"custom_id": "a"}]}, "requests[0].params"),
    ({"requests": [{"custom_id": "a", "params": []}]}, "requests[0].params"),
    ({"requests": [{"custom_id": "", "params": {}}]}, "requests[0].custom_id"),
    ({"requests": [{"custom_id": "a b", "params": {}}]}, "requests[0].custom_id"),
    ({"requests": [{"custom_id": "a" * 65, "params": {}}]}, "requests[0].custom_id"),
    ({"requests": [{"custom_id": "a", "params": {}}] * 2}, "requests[1].custom_id"),
    ({"requests": [{"custom_id": "a", "params": {}, "x": 1}]}, "requests[0].x"),
    ([], None),
]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A tenth of what is usual, of both limits."""
    return msgspec.structs.replace(
        settings,
        ingress=msgspec.structs.replace(settings.ingress, body_limit_bytes=2_000_000),
        batches=BatchSettings(body_limit_bytes=10_000_000),
    )


def requests(count: int = 3) -> list[Any]:
    return [{"custom_id": f"one-{number}", "params": PARAMS} for number in range(count)]


async def test_a_batch_is_anthropics_and_says_how_far_it_is(
    anthropics: anthropic.AsyncAnthropic, client: openai.AsyncOpenAI
) -> None:
    made = await anthropics.messages.batches.create(requests=requests())
    assert made.type == "message_batch"
    assert made.processing_status == "in_progress"
    assert made.results_url is None
    assert (made.expires_at - made.created_at).total_seconds() == 86_400
    assert made.forebay["estimate"]["messages"] == 3  # type: ignore[attr-defined] # ours
    again = await anthropics.messages.batches.create(requests=requests())
    assert again.id == made.id
    assert len([file async for file in client.files.list()]) == 1
    read = await anthropics.messages.batches.retrieve(made.id)
    assert read.request_counts.succeeded == read.request_counts.errored == 0


async def test_pages_of_a_list_follow_each_other_both_ways(
    anthropics: anthropic.AsyncAnthropic,
) -> None:
    batches = anthropics.messages.batches
    made = [(await batches.create(requests=requests(count))).id for count in range(1, 6)]
    assert [batch.id async for batch in batches.list(limit=2)] == made[::-1]
    page = await batches.list(limit=2, before_id=made[0])
    assert [batch.id for batch in page.data] == [made[2], made[1]]
    assert page.has_more


async def test_one_is_cancelled_first_and_deleted_when_it_has_ended(
    anthropics: anthropic.AsyncAnthropic,
) -> None:
    batches = anthropics.messages.batches
    made = await batches.create(requests=requests())
    with pytest.raises(anthropic.ConflictError, match="Cancel it first"):
        await batches.delete(made.id)
    cancelled = await batches.cancel(made.id)
    assert cancelled.processing_status == "canceling"
    assert cancelled.cancel_initiated_at is not None


async def test_a_key_with_principals_sees_the_batches_that_were_asked_for_with_the_same(
    http: aiohttp.ClientSession, settings: Settings
) -> None:
    keys = [await new_key(settings, KeyReach(of)) for of in (("user:ann",), ("user:bob",))]
    ann, bob = ({"Authorization": f"Bearer {key}"} for key in keys)
    ids = list[str]()
    for whose in ({}, ann, bob):
        async with http.post(BATCHES, json={"requests": requests()}, headers=whose) as answer:
            ids.append((await answer.json())["id"])
    for whose, seen in (({}, ids), (ann, ids[1:2]), (bob, ids[2:])):
        async with http.get(BATCHES, headers=whose) as answer:
            assert {each["id"] for each in (await answer.json())["data"]} == {*seen}
        for batch_id in ids:
            for path in ("", "/results"):
                async with http.get(f"{BATCHES}/{batch_id}{path}", headers=whose) as answer:
                    assert answer.status == (200 if batch_id in seen else 404)
            async with http.post(f"{BATCHES}/{batch_id}/cancel", headers=whose) as answer:
                assert answer.status == (200 if batch_id in seen else 404)


async def test_each_surface_has_its_own_batches(
    anthropics: anthropic.AsyncAnthropic, client: openai.AsyncOpenAI, upload: Upload
) -> None:
    theirs = await anthropics.messages.batches.create(requests=requests())
    ours = await client.batches.create(
        input_file_id=await upload(), endpoint="/v1/responses", completion_window="24h"
    )
    assert [batch.id async for batch in client.batches.list()] == [ours.id]
    assert [batch.id async for batch in anthropics.messages.batches.list()] == [theirs.id]
    with pytest.raises(openai.NotFoundError):
        await client.batches.retrieve(theirs.id)
    with pytest.raises(anthropic.NotFoundError):
        await anthropics.messages.batches.delete(ours.id)


async def test_what_is_wrong_with_the_request_is_named_and_keeps_nothing(
    http: aiohttp.ClientSession,
) -> None:
    for body, param in BAD:
        async with http.post(BATCHES, json=body) as answer:
            error = (await answer.json())["error"]
        assert (answer.status, error["type"]) == (400, "invalid_request_error"), error
        assert error["details"].get("param") == param
    for path in (BATCHES, "/v1/files"):
        async with http.get(path) as answer:
            assert (await answer.json())["data"] == []
    for query in (
        "limit=1001",
        "after_id=x",
        f"after_id=batch_{'0' * 32}&before_id=batch_{'0' * 32}",
    ):
        async with http.get(f"{BATCHES}?{query}") as answer:
            assert answer.status == 400


async def test_a_body_that_is_no_json_is_refused(http: aiohttp.ClientSession) -> None:
    for data, kind, status in ((b"{", "application/json", 400), (b"{}", "text/plain", 415)):
        async with http.post(BATCHES, data=data, headers={"Content-Type": kind}) as answer:
            assert answer.status == status


async def test_a_body_larger_than_the_doors_own_limit_is_taken_up_to_that_of_batches(
    settings: Settings, http: aiohttp.ClientSession
) -> None:
    large = "Hi" * (settings.ingress.body_limit_bytes // 4)
    params = PARAMS | {"messages": [{"role": "user", "content": large}]}
    asked = [{"custom_id": f"n-{nth}", "params": params} for nth in range(3)]
    body = json.dumps({"requests": asked}).encode()
    assert len(body) > settings.ingress.body_limit_bytes
    async with http.post(BATCHES, data=body, headers=JSON) as answer:
        assert answer.status == 200
    async with http.get("/v1/files") as answer:
        (kept,) = (await answer.json())["data"]
    assert kept["bytes"] > settings.ingress.body_limit_bytes
    async with http.post(BATCHES, data=body + b" " * 10_000_000, headers=JSON) as answer:
        assert answer.status == 413
        assert "'batches.body_limit_bytes'" in (await answer.json())["error"]["message"]
