from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ingress.api.chat.chunks import ChunkWriter
from ingress.events import NumberedEvent
from shared.messages.events import (
    Event,
    OutputTextDelta,
    ResponseRestarted,
    closing_event,
    encode_event,
    read_event,
)
from shared.messages.item import FunctionCall, ReasoningItem
from shared.messages.output import encode_items, output_items
from shared.messages.response import ResponseCost, read_response
from shared.messages.state import ResponseState
from shared.messages.turn_report import decode_report
from shared.replies.event_sequence import OutputEvents
from shared.surfaces.chat.completion import chat_completion
from tests.queued_message import queued_message

RECORD = queued_message(id="resp_00")


def ended(text: str | None, state: ResponseState = ResponseState.COMPLETED, **more: Any) -> Event:
    record = msgspec.structs.replace(RECORD, state=state, output_text=text, **more)
    return closing_event(record)


async def written(
    *events: Event, include_usage: bool = False, offers_tools: bool = False
) -> list[dict[str, Any]]:
    """The chunks; `[DONE]` as an empty one."""

    async def numbered() -> AsyncIterator[NumberedEvent | None]:
        for sequence, event in enumerate(events):
            body = encode_event(event)
            yield NumberedEvent(sequence, json.loads(body)["type"], body)

    writer = ChunkWriter(
        RECORD, model="auto", include_usage=include_usage, offers_tools=offers_tools
    )
    lines = [line async for line in writer.lines(numbered())]
    assert all(line.startswith(b"data: ") and line.endswith(b"\n\n") for line in lines)
    return [{} if b"[DONE]" in line else json.loads(line[6:]) for line in lines]


def text_of(chunks: list[dict[str, Any]]) -> str:
    return "".join(
        (choice["delta"].get("content") or "")
        for chunk in chunks
        for choice in chunk.get("choices", [])
    )


async def test_no_text_is_opened_where_there_may_be_calls_alone() -> None:
    opening, *_ = await written(ended("Hi"), offers_tools=True)
    assert opening["choices"][0]["delta"] == {"role": "assistant", "content": None}
    opening, said, *_ = await written(ended("Hi"))
    assert opening["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert said["choices"][0]["delta"] == {"content": "Hi"}


async def test_deltas_become_chunks_and_the_end_is_marked() -> None:
    chunks = await written(OutputTextDelta("m", "Hel"), OutputTextDelta("m", "lo"), ended("Hello"))
    assert text_of(chunks) == "Hello"
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1] == {}


async def test_the_chunks_that_end_it_name_the_model_that_answered() -> None:
    first, *_, last, usage, _ = await written(
        OutputTextDelta("m", "Hello"), ended("Hello", model="tiny-2"), include_usage=True
    )
    assert (first["model"], last["model"], usage["model"]) == ("auto", "tiny-2", "tiny-2")


async def test_what_was_not_streamed_comes_with_the_end() -> None:
    assert text_of(await written(ended("Hello"))) == "Hello"
    assert text_of(await written(OutputTextDelta("m", "Hel"), ended("Hello"))) == "Hello"


async def test_an_end_that_contradicts_what_was_said_is_an_error() -> None:
    chunks = await written(OutputTextDelta("m", "Hal"), ended("Hello"))
    assert chunks[-1]["error"]["code"] == "response_restarted"


@pytest.mark.parametrize(("said", "ends"), [("", "Hello"), ("Hal", "Hal")])
async def test_a_restart_matters_only_after_the_first_word(said: str, ends: str) -> None:
    deltas = [OutputTextDelta("m", said)] if said else []
    chunks = await written(*deltas, ResponseRestarted("resp_00", "x"), ended("Hello"))
    assert text_of(chunks) == ends
    assert ("error" in chunks[-1]) is bool(said)


async def test_a_stream_that_is_cut_ends_with_an_error_that_names_the_response() -> None:
    for said in ([], [OutputTextDelta("m", "Hal")]):
        *_, last = await written(*said)
        assert last["error"]["code"] == "stream_cut"
        assert "/v1/responses/resp_00" in last["error"]["message"]


@pytest.mark.parametrize(
    ("reason", "finish"), [("max_output_tokens", "length"), ("content_filter", "content_filter")]
)
async def test_an_incomplete_answer_says_why(reason: str, finish: str) -> None:
    chunks = await written(ended("He", ResponseState.INCOMPLETE, incomplete_reason=reason))
    assert chunks[-2]["choices"][0]["finish_reason"] == finish


async def test_usage_comes_last_and_only_when_asked_for() -> None:
    end = ended("Hi", input_tokens=2, output_tokens=1)
    asked = await written(end, include_usage=True)
    assert asked[-2]["usage"]["total_tokens"] == 3
    assert asked[0]["usage"] is None
    assert all("usage" not in chunk for chunk in await written(end))


async def test_the_chunk_that_ends_it_says_what_it_cost_and_how_it_came_about() -> None:
    report = '{"routing":{"tier":"small","reason":"the caller named it"}}'
    end = ended("Hi", cost=Decimal("0.5"), report=report)
    *before, last, done = await written(end, include_usage=False)
    assert last["cost"] == {"amount": "0.5", "currency": "USD"}
    assert last["turn"]["routing"]["tier"] == "small"
    assert done == {}
    assert all("cost" not in chunk and "turn" not in chunk for chunk in before)
    completion = chat_completion(read_response(read_event(encode_event(end)).response))
    assert completion.cost == ResponseCost("0.5")
    assert completion.turn == decode_report(report)


CALLS = (FunctionCall("a", "f", '{"x":1}'), FunctionCall("b", "g", ""))
THOUGHT = ReasoningItem(summary=({"type": "summary_text", "text": "Hm."},))


def asking(text: str | None, *calls: FunctionCall, state: str = "completed", **more: Any) -> Event:
    items = encode_items([THOUGHT, *calls])
    return ended(text, ResponseState(state), output_items=items, **more)


def told(*calls: FunctionCall) -> list[Event]:
    """The events of calls, as a worker writes them."""
    output = output_items(RECORD.id, None, [THOUGHT, *calls])
    return OutputEvents(RECORD.id).close(output)


def calls_of(chunks: list[dict[str, Any]]) -> list[list[Any]]:
    """By index: id, name and arguments, joined as OpenAI's clients join them."""
    joined: dict[int, list[Any]] = {}
    for chunk in chunks:
        for choice in chunk.get("choices", []):
            for call in choice["delta"].get("tool_calls", []):
                function = call["function"]
                whole = joined.setdefault(call["index"], [call.get("id"), function.get("name"), ""])
                whole[2] += function.get("arguments", "")
    return list(joined.values())


EXPECTED = [["a", "f", '{"x":1}'], ["b", "g", ""]]


async def test_calls_become_chunks_and_thoughts_none() -> None:
    chunks = await written(*told(*CALLS), asking(None, *CALLS))
    assert calls_of(chunks) == EXPECTED
    assert chunks[1]["choices"][0]["delta"]["tool_calls"] == [
        {
            "index": 0,
            "id": "a",
            "type": "function",
            "function": {"name": "f", "arguments": ""},
        }
    ]
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert "Hm" not in json.dumps(chunks)


async def test_calls_that_were_not_streamed_come_with_the_end_after_the_text() -> None:
    chunks = await written(OutputTextDelta("m", "Wa"), asking("Wait.", *CALLS))
    assert text_of(chunks) == "Wait."
    assert calls_of(chunks) == EXPECTED
    kinds = ["tool_calls" in one["choices"][0]["delta"] for one in chunks[:-1]]
    assert kinds == [False, False, False, True, True, True, True, False]
    assert calls_of(await written(*told(CALLS[0]), asking(None, *CALLS))) == EXPECTED


@pytest.mark.parametrize(
    "after", [[ResponseRestarted("resp_00", "x")], [asking(None, CALLS[1])], [ended("Hello")]]
)
async def test_a_call_that_was_told_is_not_taken_back_in_silence(after: list[Event]) -> None:
    chunks = await written(*told(CALLS[0]), *after)
    assert calls_of(chunks) == EXPECTED[:1]
    assert chunks[-1]["error"]["code"] == "response_restarted"


async def test_a_completion_of_calls_alone_has_no_content() -> None:
    def completion(event: Event) -> Any:
        response = read_response(read_event(encode_event(event)).response)
        return msgspec.to_builtins(chat_completion(response))["choices"][0]

    choice = completion(asking(None, *CALLS))
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
    ]
    assert choice["finish_reason"] == "tool_calls"
    assert completion(asking("Wait.", *CALLS))["message"]["content"] == "Wait."
    assert "tool_calls" not in completion(ended("Hi"))["message"]
    cut = completion(asking("Wa", CALLS[0], state="incomplete"))
    assert cut["finish_reason"] == "length"
