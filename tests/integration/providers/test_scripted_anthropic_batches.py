"""Anthropic's own client runs batches against the scripted provider; both are steered over HTTP."""

from __future__ import annotations

from typing import Any

import aiohttp
import anthropic
import openai
import pytest

from deploy.scripted_provider.batches.batch_script import BatchBehaviour
from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from tests.integration.providers.official_batches import batch_of, line, told


def requests(*items: tuple[str, str], **parameters: Any) -> Any:
    return [
        {
            "custom_id": custom_id,
            "params": {
                "model": "m",
                "max_tokens": 64,
                "messages": [{"role": "user", "content": text}],
                **parameters,
            },
        }
        for custom_id, text in items
    ]


async def test_anthropics_client_takes_a_batch_to_its_results(
    scripted: ScriptedProvider, claude: anthropic.AsyncAnthropic
) -> None:
    scripted.script(Behaviour(kind=Kind.SERVER_ERROR), contains="bad")
    scripted.script_batches(BatchBehaviour(never_ends=True))
    made = await claude.messages.batches.create(requests=requests(("a", "Ulm?"), ("b", "bad")))
    assert (made.processing_status, made.results_url) == ("in_progress", None)
    assert made.request_counts.processing == 2

    scripted.end_batches()
    batch = await claude.messages.batches.retrieve(made.id)
    assert batch.processing_status == "ended"
    assert (batch.request_counts.succeeded, batch.request_counts.errored) == (1, 1)
    results = [each async for each in await claude.messages.batches.results(made.id)]
    assert [(each.custom_id, each.result.type) for each in results] == [
        ("a", "succeeded"),
        ("b", "errored"),
    ]
    assert results[0].result.type == "succeeded"
    message = results[0].result.message
    assert message.usage.service_tier == "batch"
    assert [block.text for block in message.content if block.type == "text"] == ["You said: Ulm?"]
    assert [each.id async for each in claude.messages.batches.list(limit=1)] == [made.id]


async def test_anthropics_batch_is_cancelled_and_expires_by_the_item(
    scripted: ScriptedProvider, claude: anthropic.AsyncAnthropic
) -> None:
    scripted.script_batches(BatchBehaviour(never_ends=True, answered=1, times=1))
    scripted.script_batches(BatchBehaviour(expires=True))
    cancelled = await claude.messages.batches.create(requests=requests(("a", "x"), ("b", "y")))
    expired = await claude.messages.batches.create(requests=requests(("a", "x")))

    told = await claude.messages.batches.cancel(cancelled.id)
    assert told.processing_status == "canceling"
    kinds = [
        [each.result.type async for each in await claude.messages.batches.results(batch.id)]
        for batch in (cancelled, expired)
    ]
    assert kinds == [["succeeded", "canceled"], ["expired"]]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([], "requests"),
        (requests(("a", "x"), ("a", "y")), "requests.1.custom_id: custom_id must be unique"),
        (requests(("no spaces", "x")), "requests.0.custom_id"),
    ],
)
async def test_what_anthropic_refuses_at_once_is_refused(
    claude: anthropic.AsyncAnthropic, asked: Any, words: str
) -> None:
    with pytest.raises(anthropic.BadRequestError, match=words):
        await claude.messages.batches.create(requests=asked)


async def test_a_stream_in_a_batch_is_an_error_of_its_item(
    claude: anthropic.AsyncAnthropic, gpt: openai.AsyncOpenAI
) -> None:
    made = await claude.messages.batches.create(requests=requests(("a", "x"), stream=True))
    (result,) = [each async for each in await claude.messages.batches.results(made.id)]
    assert result.result.type == "errored"

    streamed = line("a")
    streamed["body"]["stream"] = True
    batch = await gpt.batches.retrieve((await batch_of(gpt, streamed)).id)
    assert batch.output_file_id is None
    assert len(await told(gpt, batch.error_file_id)) == 1


async def test_creation_and_looks_can_fail(
    scripted: ScriptedProvider, gpt: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    scripted.script_batches(BatchBehaviour(refused_with=429, times=1))
    scripted.script_batches(BatchBehaviour(loses_answer=True, times=1))
    scripted.script_batches(BatchBehaviour(look_fails_with=503))
    with pytest.raises(openai.RateLimitError):
        await batch_of(gpt, line("a"))
    with pytest.raises(openai.APIConnectionError):
        await batch_of(gpt, line("a"))
    assert len([each async for each in gpt.batches.list()]) == 1
    made = await claude.messages.batches.create(requests=requests(("a", "x")))
    with pytest.raises(anthropic.InternalServerError):
        await claude.messages.batches.retrieve(made.id)


@pytest.mark.parametrize(
    ("rule", "status"),
    [({"behave": {"never_ends": True}}, 200), ({"behave": {"ends": False}}, 400), ("x", 400)],
)
async def test_batches_are_scripted_over_http(
    scripted: ScriptedProvider, rule: object, status: int
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{scripted.url}/script/batches", json=rule) as answer,
    ):
        assert answer.status == status
