"""Keys, repeats and errors of POST /v1/messages, as Anthropic's client meets them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import aiohttp
import anthropic
import pytest

from shared.messages.tenant import Plan
from tests.integration.ingress.asking_messages import ASKED, next_record
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker


async def test_a_bearer_token_opens_the_door_as_well(
    door: RunningDoor, key: str, worker: StandInWorker
) -> None:
    worker.serve()
    async with anthropic.AsyncAnthropic(
        api_key=None, auth_token=key, base_url=door.url, max_retries=0
    ) as client:
        assert (await client.messages.create(**ASKED)).stop_reason == "end_turn"
    async with anthropic.AsyncAnthropic(
        api_key="fb_unknown", base_url=door.url, max_retries=0
    ) as client:
        with pytest.raises(anthropic.AuthenticationError) as raised:
            await client.messages.create(**ASKED)
    assert raised.value.body["error"]["type"] == "authentication_error"  # type: ignore[index]
    assert raised.value.error_code == "invalid_api_key"


async def test_what_is_wrong_is_told_in_anthropics_words(
    anthropics: anthropic.AsyncAnthropic,
) -> None:
    with pytest.raises(anthropic.BadRequestError) as raised:
        await anthropics.messages.create(**ASKED, extra_body={"inference_geo": "eu"})
    body: Any = raised.value.body
    assert body == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "'inference_geo' is not supported. Remove it.",
            "details": {"error_code": "unsupported_parameter", "param": "inference_geo"},
        },
        "request_id": raised.value.request_id,
    }
    with pytest.raises(anthropic.BadRequestError, match=r"tools\[0\].*web_search_20250305"):
        await anthropics.messages.create(
            **ASKED, tools=[{"type": "web_search_20250305", "name": "web_search"}]
        )


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("server_error", anthropic.InternalServerError),
        ("invalid_prompt", anthropic.BadRequestError),
    ],
)
async def test_a_failed_turn_is_an_error_that_the_client_does_not_repeat(
    anthropics: anthropic.AsyncAnthropic,
    worker: StandInWorker,
    code: str,
    error: type[anthropic.APIStatusError],
) -> None:
    retrying = anthropics.with_options(max_retries=2)
    asking = asyncio.create_task(retrying.messages.create(**ASKED))
    await worker.fail(await next_record(worker), code)
    with pytest.raises(error) as raised:
        await asking
    assert raised.value.error_code == code
    assert await worker.queued() == []


async def test_a_key_leads_to_the_first_message_whichever_surface_it_came_through(
    anthropics: anthropic.AsyncAnthropic, http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve()
    once = {"Idempotency-Key": "k-1"}
    first = await anthropics.messages.create(**ASKED, extra_headers=once)
    again = await anthropics.messages.with_raw_response.create(**ASKED, extra_headers=once)
    assert (await again.parse()).id == first.id
    assert again.headers["idempotent-replayed"] == "true"
    same = {"model": "auto", "max_output_tokens": 64, "input": "Hello"}
    async with http.post("/v1/responses", json=same, headers=once) as answer:
        assert (await answer.json())["id"] == first.id.replace("msg_", "resp_")
    with pytest.raises(anthropic.UnprocessableEntityError) as raised:
        await anthropics.messages.create(**{**ASKED, "max_tokens": 65}, extra_headers=once)
    assert raised.value.error_code == "idempotency_conflict"


async def test_a_client_that_times_out_and_repeats_pays_for_one_message(
    door: RunningDoor, key: str, worker: StandInWorker
) -> None:
    async with anthropic.AsyncAnthropic(
        api_key=key, base_url=door.url, max_retries=20, timeout=1.5
    ) as client:
        asking = asyncio.create_task(client.messages.create(**ASKED))
        record = await next_record(worker)
        with pytest.raises(TimeoutError):  # it gives up once, waits, and sends the same again
            await asyncio.wait_for(asyncio.shield(asking), 2)
        await worker.answer(record, "once")
        message = await asking
    assert message.id == record.id.replace("resp_", "msg_")
    assert await worker.queued() == []


async def test_either_verdict_says_how_much_may_still_be_sent(
    door: RunningDoor, make_key: MakeKey, worker: StandInWorker
) -> None:
    worker.serve()
    key = await make_key("small", plan=Plan(60, 1_000_000, 60, 1_000_000, 1))
    async with anthropic.AsyncAnthropic(api_key=key, base_url=door.url, max_retries=0) as client:
        raw = await client.messages.with_raw_response.create(**ASKED)
        assert raw.headers["anthropic-ratelimit-requests-limit"] == "60"
        assert raw.headers["anthropic-ratelimit-tokens-limit"] == "1000000"
        reset = datetime.fromisoformat(raw.headers["anthropic-ratelimit-requests-reset"])
        assert reset.tzinfo is not None
        with pytest.raises(anthropic.RateLimitError) as raised:
            await client.messages.create(**ASKED)
    assert raised.value.error_code == "too_many_in_flight"
    refused = raised.value.response.headers
    assert int(refused["anthropic-ratelimit-requests-remaining"]) < 60
    assert int(refused["retry-after"]) >= 1
