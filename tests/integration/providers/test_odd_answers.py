"""Answers as real servers send them: one odd field costs no answer."""

from __future__ import annotations

import pytest

from tests.integration.providers.asking import BuildFor, Heard, failure, prompt
from tests.integration.providers.raw_server import RawServer
from tests.integration.providers.wire_words import (
    ANTHROPIC,
    BLOCK,
    DELTA,
    END,
    OPENAI,
    STOP,
    events,
)
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer, FinishReason

WHOLE = {
    "parts of content": (
        OPENAI,
        b'{"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text",'
        b'"text":"hm"}]},{"type":"text","text":"Hi"}]},"finish_reason":"stop"}]}',
    ),
    "texts as content": (OPENAI, b'{"choices":[{"message":{"content":["H","i"]}}]}'),
    "usage as text": (
        OPENAI,
        b'{"choices":[{"message":{"content":"Hi"}}],"usage":{"prompt_tokens":"4"}}',
    ),
    "usage as a word": (OPENAI, b'{"choices":[{"message":{"content":"Hi"}}],"usage":"many"}'),
    "a model that is no text": (
        OPENAI,
        b'{"choices":[{"message":{"content":"Hi"}}],"model":["m"]}',
    ),
    "a finish reason that is no text": (
        OPENAI,
        b'{"choices":[{"message":{"content":"Hi"},"finish_reason":7}]}',
    ),
    "reasoning as an object": (
        OPENAI,
        b'{"choices":[{"message":{"content":"Hi","reasoning":{"effort":"low"}}}]}',
    ),
    "a byte order mark": (OPENAI, b'\xef\xbb\xbf{"choices":[{"message":{"content":"Hi"}}]}'),
    "half a character": (OPENAI, b'{"choices":[{"message":{"content":"H\\ud800i"}}]}'),
    "a tool beside the text": (
        OPENAI,
        b'{"choices":[{"message":{"content":"Hi","tool_calls":[{"id":"1"}]}}]}',
    ),
    "a text that is null": (
        ANTHROPIC,
        b'{"content":[{"type":"text","text":null},{"type":"text","text":"Hi"}]}',
    ),
    "content as text": (ANTHROPIC, b'{"content":"Hi","stop_reason":"end_turn"}'),
    "usage as a list": (ANTHROPIC, b'{"content":[{"type":"text","text":"Hi"}],"usage":[]}'),
    "usage with text": (
        ANTHROPIC,
        b'{"content":[{"type":"text","text":"Hi"}],"usage":{"input_tokens":""}}',
    ),
    "a stop reason that is no text": (
        ANTHROPIC,
        b'{"content":[{"type":"text","text":"Hi"}],"stop_reason":[]}',
    ),
    "thoughts": (
        ANTHROPIC,
        b'{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"Hi"}]}',
    ),
}


@pytest.mark.parametrize(("wire", "body"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("status", [200, 201, 203])
async def test_one_odd_field_costs_no_whole_answer(
    server: RawServer, build_for: BuildFor, wire: str, body: bytes, status: int
) -> None:
    server.response = {"body": body, "content_type": "application/json", "status": status}

    answer = await build_for(wire).answer(prompt(), time_left_seconds=60)

    assert isinstance(answer, Answer)
    assert answer.text == "Hi"


STREAMS = {
    "choices that are null": (OPENAI, events('{"choices":null}', DELTA, '{"choices":null}', END)),
    "empty data": (OPENAI, events("", DELTA, "", END, "[DONE]")),
    "usage as text": (OPENAI, events(DELTA, '{"choices":[],"usage":""}', END)),
    "usage as a number": (OPENAI, events(DELTA, '{"choices":[],"usage":7}', END)),
    "parts of content": (
        OPENAI,
        events('{"choices":[{"delta":{"content":[{"type":"text","text":"Hi"}]}}]}', END),
    ),
    "reasoning as a list": (
        OPENAI,
        events('{"choices":[{"delta":{"reasoning_details":[{"text":"hm"}]}}]}', DELTA, END),
    ),
    "the last event without its blank line": (
        OPENAI,
        events(DELTA) + f"data: {END}".encode(),
    ),
    "the last event cut": (OPENAI, events(DELTA, END) + b'data: {"choices":[],"us'),
    "a byte order mark": (OPENAI, b"\xef\xbb\xbf" + events(DELTA, END)),
    "an unknown event": (ANTHROPIC, events(BLOCK, '{"type":"news","x":1}', STOP)),
    "no message_stop": (ANTHROPIC, events(BLOCK, STOP)),
    "the last of it without its blank line": (
        ANTHROPIC,
        events(BLOCK, STOP) + b'data: {"type":"message_stop"}',
    ),
    "text in the start of a block": (
        ANTHROPIC,
        events('{"type":"content_block_start","content_block":{"type":"text","text":"Hi"}}', STOP),
    ),
    "text that is null": (
        ANTHROPIC,
        events('{"type":"content_block_delta","delta":{"text":null}}', BLOCK, STOP),
    ),
    "usage of a message as a number": (
        ANTHROPIC,
        events(BLOCK, '{"type":"message_delta","usage":7,"delta":{"stop_reason":"end_turn"}}'),
    ),
    "no stream at all": (OPENAI, WHOLE["texts as content"][1]),
    "no stream of messages": (ANTHROPIC, WHOLE["content as text"][1]),
}


@pytest.mark.parametrize(("wire", "body"), STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("label", ["text/event-stream", "text/plain", "application/json"])
async def test_one_odd_field_or_label_costs_no_streamed_answer(
    server: RawServer, build_for: BuildFor, wire: str, body: bytes, label: str
) -> None:
    server.sends(body, content_type=label)
    heard = Heard()

    answer = await build_for(wire).answer(prompt(), time_left_seconds=60, on_delta=heard)

    assert isinstance(answer, Answer)
    assert answer.text == heard.text == "Hi"
    assert answer.finish is FinishReason.STOP


async def test_a_character_whose_halves_come_in_two_chunks_is_one(
    server: RawServer, build_for: BuildFor
) -> None:
    server.streams(
        '{"choices":[{"delta":{"content":"a\\ud83d"}}]}',
        '{"choices":[{"delta":{"content":"\\ude00b"}}]}',
        END,
    )
    heard = Heard()

    answer = await build_for(OPENAI).answer(prompt(), time_left_seconds=60, on_delta=heard)

    assert isinstance(answer, Answer)
    assert answer.text == heard.text == "a\N{GRINNING FACE}b"


@pytest.mark.parametrize(
    ("wire", "data", "is_certain"),
    [
        (OPENAI, (DELTA, END), True),
        (OPENAI, (DELTA, END, "[DONE]"), True),
        (OPENAI, (DELTA, "[DONE]"), False),
        (ANTHROPIC, (BLOCK, STOP), True),
        (ANTHROPIC, (BLOCK, '{"type":"message_stop"}'), False),
    ],
)
async def test_an_answer_without_a_reason_to_end_is_whole_and_in_doubt(
    server: RawServer, build_for: BuildFor, wire: str, data: tuple[str, ...], is_certain: bool
) -> None:
    server.streams(*data)

    answer = await build_for(wire).answer(prompt(), time_left_seconds=60, on_delta=Heard())

    assert isinstance(answer, Answer)
    assert (answer.text, answer.is_certain) == ("Hi", is_certain)


async def test_an_encoding_that_nobody_asked_for_is_not_tried_again(
    server: RawServer, build_for: BuildFor
) -> None:
    server.response = {
        "body": b"what nobody can unpack",
        "content_type": "application/json",
        "headers": {"Content-Encoding": "br"},
    }

    error = await failure(build_for(OPENAI))

    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "cannot be reached" not in error.message
