"""OpenAI's own client with tools, structured answers and reasoning, whole and streamed."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionFunctionToolParam
from openai.types.responses import FunctionToolParam, ResponseInputParam
from pydantic import BaseModel

from shared.messages.item import FunctionCall, FunctionCallOutput, ReasoningItem
from shared.messages.record import MessageRecord
from shared.messages.stored_body import decode_body
from tests.integration.ingress.stand_in_worker import Spoken, StandInWorker

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOL: FunctionToolParam = {
    "type": "function",
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": SCHEMA,
    "strict": True,
}
CHAT_TOOL: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {"name": "weather", "parameters": SCHEMA, "strict": True},
}
CITIES = ("Oslo", "Bonn")
THOUGHT = ReasoningItem(
    summary=({"type": "summary_text", "text": "Two cities."},), encrypted_content="sealed"
)


class Reading(BaseModel):
    city: str
    degrees: int


def forecast(record: MessageRecord) -> Spoken:
    """Asks for the weather of both cities, then says what it was told."""
    items = decode_body(record.body.encode()).input
    outputs = [item.text() for item in items if isinstance(item, FunctionCallOutput)]
    if outputs:
        return Spoken(f"It is {' and '.join(outputs)}.")
    calls = [
        FunctionCall(f"call_{nth}", "weather", f'{{"city":"{city}"}}')
        for nth, city in enumerate(CITIES)
    ]
    return Spoken("Let me see.", (THOUGHT, *calls))


def weather(name: str, arguments: str) -> str:
    assert name == "weather"
    return {'{"city":"Oslo"}': "cold", '{"city":"Bonn"}': "wet"}[arguments]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_response_asks_for_tools_and_goes_on_from_what_they_gave(
    client: openai.AsyncOpenAI, worker: StandInWorker, streamed: bool
) -> None:
    worker.serve(forecast)
    said: ResponseInputParam = [{"role": "user", "content": "Weather?"}]
    for _ in range(2):
        if streamed:
            async with client.responses.stream(model="auto", input=said, tools=[TOOL]) as stream:
                kinds = [event.type async for event in stream]
                response: Any = await stream.get_final_response()
            assert kinds.count("response.function_call_arguments.done") in {0, 2}
        else:
            response = await client.responses.create(model="auto", input=said, tools=[TOOL])
        said += response.output
        said += [
            {
                "type": "function_call_output",
                "call_id": item.call_id,
                "output": weather(item.name, item.arguments),
            }
            for item in response.output
            if item.type == "function_call"
        ]
    assert response.output_text.strip() == "It is cold and wet."
    kinds = [item.type for item in said if not isinstance(item, dict)]
    assert kinds == ["reasoning", "message", "function_call", "function_call", "message"]


async def test_a_response_tells_what_was_asked_of_it(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    worker.serve(forecast)
    made = await client.responses.create(
        model="auto",
        input="Weather?",
        tools=[TOOL],
        tool_choice={"type": "function", "name": "weather"},
        parallel_tool_calls=False,
        reasoning={"effort": "low", "summary": "auto"},
        include=["reasoning.encrypted_content"],
        max_tool_calls=3,
    )
    read = await client.responses.retrieve(made.id)
    told = read.model_dump(exclude_unset=True)
    assert told == made.model_dump(exclude_unset=True)
    assert told["tools"] == [TOOL]
    assert told["tool_choice"] == {"type": "function", "name": "weather"}
    assert (told["parallel_tool_calls"], told["max_tool_calls"]) == (False, 3)
    assert told["reasoning"] == {"effort": "low", "summary": "auto"}
    thought, _, call, _ = read.output
    assert thought.type == "reasoning"
    assert thought.encrypted_content == "sealed"
    assert call.type == "function_call"
    assert (call.call_id, call.arguments) == ("call_0", '{"city":"Oslo"}')


async def _completion(client: openai.AsyncOpenAI, said: Any, streamed: bool) -> ChatCompletion:
    if not streamed:
        return await client.chat.completions.create(model="auto", messages=said, tools=[CHAT_TOOL])
    async with client.chat.completions.stream(
        model="auto", messages=said, tools=[CHAT_TOOL]
    ) as stream:
        return await stream.get_final_completion()


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_chat_asks_for_tools_and_goes_on_from_what_they_gave(
    client: openai.AsyncOpenAI, worker: StandInWorker, streamed: bool
) -> None:
    worker.serve(forecast)
    said: list[Any] = [{"role": "user", "content": "Weather?"}]
    reasons = []
    for _ in range(2):
        [choice] = (await _completion(client, said, streamed)).choices
        reasons.append(choice.finish_reason)
        said.append(choice.message)
        for call in choice.message.tool_calls or []:
            assert call.type == "function"
            output = weather(call.function.name, call.function.arguments)
            said.append({"role": "tool", "tool_call_id": call.id, "content": output})
    assert reasons == ["tool_calls", "stop"]
    assert str(choice.message.content).strip() == "It is cold and wet."


async def test_structured_answers_are_parsed_on_both_surfaces(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    worker.serve(lambda _: '{"city":"Oslo","degrees":-3}')
    parsed = await client.responses.parse(model="auto", input="Weather?", text_format=Reading)
    assert parsed.output_parsed == Reading(city="Oslo", degrees=-3)
    completion = await client.chat.completions.parse(
        model="auto",
        messages=[{"role": "user", "content": "Weather?"}],
        response_format=Reading,
    )
    assert completion.choices[0].message.parsed == Reading(city="Oslo", degrees=-3)


async def test_arguments_are_parsed_by_the_model_of_the_tool(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    call = FunctionCall("call_0", "Reading", '{"city":"Oslo","degrees":-3}')
    worker.serve(lambda _: Spoken(items=(call,)))
    response = await client.responses.parse(
        model="auto", input="Weather?", tools=[openai.pydantic_responses_function_tool(Reading)]
    )
    [asked] = response.output
    assert asked.type == "function_call"
    assert asked.parsed_arguments == Reading(city="Oslo", degrees=-3)
    completion = await client.chat.completions.parse(
        model="auto",
        messages=[{"role": "user", "content": "Weather?"}],
        tools=[openai.pydantic_function_tool(Reading)],
    )
    [chosen] = completion.choices
    assert chosen.message.content is None
    [tool_call] = chosen.message.tool_calls or []
    assert tool_call.function.parsed_arguments == Reading(city="Oslo", degrees=-3)


async def test_a_stream_tells_thoughts_text_and_calls_and_can_be_followed_again(
    client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    worker.serve(forecast)
    stream = await client.responses.create(
        model="auto", input="Weather?", tools=[TOOL], stream=True
    )
    events = [event async for event in stream]
    done = [event.item.type for event in events if event.type == "response.output_item.done"]
    assert done == ["reasoning", "message", "function_call", "function_call"]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    created = events[0]
    assert created.type == "response.created"
    again = [
        event.type
        async for event in await client.responses.retrieve(created.response.id, stream=True)
    ]
    assert again == [event.type for event in events]
    await worker.redis.flushdb()
    ledger = [
        event.type
        async for event in await client.responses.retrieve(created.response.id, stream=True)
    ]
    texts = again.count("response.output_text.delta")
    assert len(ledger) == len(again) - texts + 1
