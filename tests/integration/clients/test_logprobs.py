"""How likely tokens were, asked by OpenAI's client on both of its APIs: as the contract has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import openai
import pytest

from deploy.scripted_provider.behaviour import Kind
from tests.integration.conftest import OneMachine
from tests.integration.ingress.contract import Contract, events_of
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link

pytestmark = pytest.mark.usefixtures("worker")
INCLUDED: Any = ["message.output_text.logprobs"]
SAID = "It was a bright cold day in April, and the clocks were striking thirteen."


@pytest.fixture(scope="module")
def stack(one_machine: OneMachine, provider: ProviderThread) -> Stack:
    """Anthropic's model stands first: it has none, and is passed over."""
    other = openai_link(provider.url, kind="anthropic", name="other")
    return one_machine(other, openai_link(provider.url))


@pytest.fixture
async def http(key: str, door: RunningDoor) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(door.url, headers=headers) as session:
        yield session


async def test_a_response_tells_them_whole_and_read_again(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, contract: Contract
) -> None:
    response = await client.responses.create(
        model="auto", input="How likely?", include=INCLUDED, top_logprobs=2
    )
    [text] = response.output[0].content  # type: ignore[union-attr]
    assert "".join(one.token for one in text.logprobs) == text.text  # type: ignore
    assert all(len(one.top_logprobs) == 2 for one in text.logprobs)  # type: ignore
    async with http.get(f"/v1/responses/{response.id}") as again:
        body = await again.json()
    contract.check("Response", body)
    assert body["top_logprobs"] == 2
    assert body["output"][0] == response.output[0].to_dict()
    assert body["turn"] is None


async def test_a_streamed_response_tells_each_with_its_text(
    client: openai.AsyncOpenAI,
    http: aiohttp.ClientSession,
    provider: ProviderThread,
    contract: Contract,
) -> None:
    asked = {"input": "Stream how likely.", "include": INCLUDED, "stream": True}
    for pause in (0.01, 0.1, 1.0):  # on a busy machine the first may all come at once
        provider.behave(
            Kind.SLOW_DRIP, contains="how likely.", text=SAID, every_seconds=pause, times=1
        )
        async with http.post("/v1/responses", json=asked) as answer:
            told_of = events_of(await answer.text())
        events = [event for event in told_of if "sequence_number" in event]
        deltas = [event for event in events if event["type"] == "response.output_text.delta"]
        if sum(bool(delta["logprobs"]) for delta in deltas) > 1:
            break
    [done] = [event for event in events if event["type"] == "response.output_text.done"]
    contract.check("ResponseTextDoneEvent", done)
    for delta in deltas:
        contract.check("ResponseTextDeltaEvent", delta)
    told = [token for delta in deltas for token in delta["logprobs"]]
    assert "".join(token["token"] for token in told) == done["text"] == SAID
    assert told == done["logprobs"]
    assert sum(bool(delta["logprobs"]) for delta in deltas) > 1
    contract.check("Response", events[-1]["response"])
    assert events[-1]["response"]["output"][0]["content"][0]["logprobs"] == told
    async with client.responses.stream(
        model="auto", input="Stream how likely. Again.", include=INCLUDED
    ) as stream:
        final = await stream.get_final_response()
    assert final.output[0].content[0].logprobs  # type: ignore[union-attr]


async def test_a_completion_tells_them_whole_and_streamed(
    client: openai.AsyncOpenAI, http: aiohttp.ClientSession, contract: Contract
) -> None:
    messages: Any = [{"role": "user", "content": "Chat how likely."}]
    whole = await client.chat.completions.create(
        model="auto", messages=messages, logprobs=True, top_logprobs=1
    )
    contract.check("CreateChatCompletionResponse", whole.to_dict())
    told = whole.choices[0].logprobs
    assert told is not None
    assert told.content is not None
    assert "".join(token.token for token in told.content) == whole.choices[0].message.content
    async with client.chat.completions.stream(
        model="auto", messages=messages, logprobs=True, top_logprobs=1
    ) as stream:
        async for _ in stream:
            pass
        final = (await stream.get_final_completion()).choices[0]
    assert final.logprobs is not None
    assert final.logprobs.content == told.content
    asked = {"model": "auto", "messages": messages, "logprobs": True, "stream": True}
    async with http.post("/v1/chat/completions", json=asked) as answer:
        for chunk in events_of((await answer.text()).replace("data: [DONE]", "")):
            contract.check("CreateChatCompletionStreamResponse", chunk)


async def test_a_masked_answer_tells_none_and_says_so(
    client: openai.AsyncOpenAI, provider: ProviderThread
) -> None:
    card = "Pay with 4111 1111 1111 1111, or in cash."
    provider.behave(Kind.ANSWER, contains="the card", text=card)
    for streams in (False, True):
        question = f"How likely is the card? {streams=}"
        if streams:
            async with client.responses.stream(
                model="auto", input=question, include=INCLUDED
            ) as stream:
                response = await stream.get_final_response()
        else:
            response = await client.responses.create(model="auto", input=question, include=INCLUDED)
        assert "[removed]" in response.output_text
        assert response.output[0].content[0].logprobs == []  # type: ignore[union-attr]
        assert "1111" not in response.to_json()
        assert response.to_dict()["turn"]["dropped"] == ["logprobs"]  # type: ignore[index]
