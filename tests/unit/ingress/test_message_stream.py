"""The events of a message's stream: each is one of Anthropic's, together they are the answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from ingress.api.messages.streaming import MessageWriter
from ingress.events import NumberedEvent
from shared.messages.events import Event, ResponseRestarted, closing_event, encode_event
from shared.messages.item import FunctionCall, ReasoningItem
from shared.messages.lane import Lane
from shared.messages.output import AnswerItem, encode_items, output_items
from shared.messages.record import MessageRecord
from shared.messages.response import response_object
from shared.messages.state import ResponseState
from shared.replies.event_sequence import OutputEvents, opening, whole_answer
from shared.surfaces.messages.message import message_object
from tests.queued_message import queued_message

RECORD = queued_message(id="resp_00", lane=Lane.INTERACTIVE)
THOUGHT = ReasoningItem(
    summary=(
        {"type": "summary_text", "text": "One."},
        {"type": "summary_text", "text": "Two."},
    ),
    encrypted_content="sealed",
)
HIDDEN = ReasoningItem(encrypted_content="hidden")
UNSIGNED = ReasoningItem(summary=({"type": "summary_text", "text": "Lost."},))
CALL = FunctionCall("call_1", "add", '{"a": 1}')
ANY_EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def ended(text: str, items: Sequence[AnswerItem] = (), **more: Any) -> MessageRecord:
    told: dict[str, Any] = {"state": ResponseState.COMPLETED, **more}
    return msgspec.structs.replace(
        RECORD,
        output_text=text,
        output_items=encode_items(items),
        input_tokens=9,
        cached_tokens=4,
        output_tokens=5,
        **told,
    )


def closing(record: MessageRecord) -> Event:
    return closing_event(record)


async def written(*events: Event | None, shows_thoughts: bool = True) -> list[dict[str, Any]]:
    """The events; each is read by Anthropic's own types."""

    async def numbered() -> AsyncIterator[NumberedEvent | None]:
        for sequence, event in enumerate(events):
            body = encode_event(event) if event else b"{}"
            kind = json.loads(body).get("type")
            yield NumberedEvent(sequence, kind, body) if event else None

    writer = MessageWriter(
        RECORD,
        model="small",
        input_tokens=3,
        shows_thoughts=shows_thoughts,
        request_id="req_1",
    )
    told = []
    async for line in writer.lines(numbered()):
        name, data, *end = line.decode().split("\n")
        assert end == ["", ""]
        told.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {told[-1]['type']}"
        if told[-1]["type"] not in {"ping", "error"}:
            ANY_EVENT.validate_python(told[-1])
    return told


def content_of(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks put together, each opened once, filled, and closed before the next."""
    blocks: list[dict[str, Any]] = []
    is_open = False
    for event in told:
        match event["type"]:
            case "content_block_start":
                assert not is_open
                assert event["index"] == len(blocks)
                blocks.append(event["content_block"])
                is_open = True
            case "content_block_delta":
                assert is_open
                _add(blocks[event["index"]], event["delta"])
            case "content_block_stop":
                assert event["index"] == len(blocks) - 1
                is_open = False
    assert not is_open
    return blocks


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    match delta.pop("type"):
        case "input_json_delta":
            block["input"] = json.loads(delta["partial_json"])
        case _:
            for name, piece in delta.items():
                block[name] += piece


async def test_a_stream_and_a_whole_answer_are_the_same_message() -> None:
    items = (THOUGHT, HIDDEN, UNSIGNED, CALL)
    record = ended("Hello", items)
    output = OutputEvents(RECORD.id)
    events = [
        *opening(RECORD),
        *(event for thought in items[:3] for event in output.think(thought)),
        *output.write("Hel"),
        *output.write("lo"),
        *output.close(output_items(RECORD.id, "Hello", items)),
        closing(record),
    ]
    whole = message_object(response_object(record), shows_thoughts=True)
    told = await written(*events)
    expected = json.loads(msgspec.json.encode(whole))
    Message.model_validate(expected, strict=True)
    assert content_of(told) == expected["content"]
    assert [block["type"] for block in expected["content"]] == [
        "thinking",
        "redacted_thinking",
        "text",
        "tool_use",
    ]
    assert expected["content"][0]["thinking"] == "One.\n\nTwo."
    start, end = told[0]["message"], told[-2]
    assert (start["id"], start["model"], start["usage"]["input_tokens"]) == ("msg_00", "small", 3)
    assert end["delta"]["stop_reason"] == expected["stop_reason"] == "tool_use"
    assert end["usage"] == expected["usage"]
    assert (end["usage"]["input_tokens"], end["usage"]["cache_read_input_tokens"]) == (5, 4)
    assert end["usage"]["service_tier"] == "priority"
    assert told[-1] == {"type": "message_stop"}


@pytest.mark.parametrize("text", ["", "Hello"])
@pytest.mark.parametrize("shows_thoughts", [True, False])
async def test_what_is_told_from_the_ledger_is_the_same(text: str, shows_thoughts: bool) -> None:
    record = ended(text, (THOUGHT, CALL))
    told = await written(*opening(record), *whole_answer(record), shows_thoughts=shows_thoughts)
    whole = message_object(response_object(record), shows_thoughts=shows_thoughts)
    assert content_of(told) == json.loads(msgspec.json.encode(whole.content))
    assert len(whole.content) == shows_thoughts + bool(text) + 1


async def test_what_was_not_streamed_is_told_at_the_end() -> None:
    output = OutputEvents(RECORD.id)
    told = await written(*output.write("Hel"), closing(ended("Hello", (CALL,))))
    text, call = content_of(told)
    assert (text["text"], call["input"]) == ("Hello", {"a": 1})


@pytest.mark.parametrize(
    "end",
    [
        ResponseRestarted("resp_00", "provider_failed"),
        closing(ended("Other")),
        closing(ended("Hel", (THOUGHT,))),
        None,
    ],
    ids=["restarted", "another text", "a thought before it", "cut"],
)
async def test_what_was_sent_cannot_be_taken_back(end: Event | None) -> None:
    events = OutputEvents(RECORD.id).write("Hel")
    told = await written(*events, *([end] if end else []))
    assert told[-1]["type"] == "error"
    assert told[-1]["request_id"] == "req_1"
    assert "/v1/responses/resp_00" in told[-1]["error"]["message"]
    code = "response_restarted" if end else "stream_cut"
    assert told[-1]["error"]["details"] == {"error_code": code}


async def test_silence_is_a_ping_and_an_empty_answer_has_no_blocks() -> None:
    told = await written(None, closing(ended("")))
    assert [event["type"] for event in told] == [
        "message_start",
        "ping",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize(
    ("arguments", "given"),
    [("", {}), ("[1]", {"arguments": [1]}), ("{", {"arguments": "{"})],
)
def test_arguments_that_are_no_object_are_told_as_one(
    arguments: str, given: dict[str, Any]
) -> None:
    record = ended("", (FunctionCall("c", "f", arguments),))
    (block,) = message_object(response_object(record), shows_thoughts=False).content
    assert msgspec.to_builtins(block)["input"] == given
