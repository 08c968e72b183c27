"""The quick reading of an event says what the thorough one says, or leaves the event to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.providers.anthropic import AnthropicMessages
from workers.providers.openai_compatible import ChatCompletions
from workers.providers.wire.loose_json import decoded, mapping, tells_failure
from workers.providers.wire.reading import WireFormat

odd = st.sampled_from([None, "", "x", "error", 0, 1, -1, 2**60, 1.5, True, [], ["a"], {}, {"a": 1}])


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with any of these fields, and now and then one that nobody expects."""
    return st.fixed_dictionaries(
        {}, optional={**fields, "surprise": odd} if len(fields) < 8 else fields
    )


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(usual, usual, usual, odd)


counts = mostly(st.integers(0, 10_000))
texts = mostly(st.text(max_size=5))
details = objects(cached_tokens=counts, cache_write_tokens=counts, audio_tokens=counts)
usages = objects(
    prompt_tokens=counts,
    completion_tokens=counts,
    total_tokens=counts,
    cost=odd,
    cached_tokens=counts,
    prompt_tokens_details=mostly(details),
)
deltas = objects(role=texts, content=texts, reasoning_content=odd, tool_calls=odd, refusal=odd)
choices = objects(index=counts, delta=mostly(deltas), finish_reason=texts, logprobs=odd)
failures = dict.fromkeys(("error", "detail", "code", "errors", "message", "type"), odd)
chunks = st.one_of(
    objects(choices=st.lists(choices, max_size=2), model=texts, usage=mostly(usages)),
    objects(choices=mostly(st.lists(choices, max_size=2)), object=odd, **failures),
)
pieces = objects(type=mostly(st.just("text_delta")), text=texts, thinking=odd)
kinds = st.sampled_from(["content_block_delta", "message_delta", "message_start", "message_stop"])
told = objects(
    input_tokens=counts,
    output_tokens=counts,
    cache_read_input_tokens=counts,
    cache_creation_input_tokens=counts,
    output_tokens_details=mostly(objects(thinking_tokens=counts)),
)
begun = objects(
    model=texts,
    usage=mostly(told),
    content=mostly(st.just([])),
    stop_reason=mostly(st.none()),
)
faults = dict.fromkeys(("error", "object", "detail", "code", "errors"), odd)
ends = objects(stop_reason=texts, stop_sequence=odd)
events = st.one_of(
    objects(type=mostly(kinds), delta=mostly(pieces), index=counts, error=odd, object=odd),
    objects(type=kinds, delta=mostly(ends), usage=mostly(told), message=mostly(begun)),
    objects(type=kinds, delta=mostly(ends), usage=mostly(told), message=mostly(begun), **faults),
)


@given(chunks)
def test_a_chunk_is_read_alike(chunk: dict[str, Any]) -> None:
    _is_read_alike(ChatCompletions(), chunk)


@given(events)
def test_an_event_of_anthropic_is_read_alike(event: dict[str, Any]) -> None:
    _is_read_alike(AnthropicMessages(default_output_tokens=9), event)


def _is_read_alike(wire_format: WireFormat, event: dict[str, Any]) -> None:
    data = json.dumps(event)
    quick, fields = wire_format.read_usual(data), mapping(decoded(data))
    if quick is not None:
        assert not tells_failure(fields)
        assert quick == wire_format.read_event(fields)


@pytest.mark.parametrize(
    ("wire_format", "event"),
    [
        (ChatCompletions(), {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}),
        (ChatCompletions(), {"choices": [{"delta": {"role": "assistant"}, "logprobs": None}]}),
        (
            ChatCompletions(),
            {
                "object": "chat.completion.chunk",
                "choices": [{"delta": {}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
            },
        ),
        (
            AnthropicMessages(default_output_tokens=9),
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "Hi"},
            },
        ),
        (
            AnthropicMessages(default_output_tokens=9),
            {
                "type": "message_start",
                "message": {
                    "id": "msg_1",
                    "type": "message",
                    "role": "assistant",
                    "model": "m",
                    "content": [],
                    "stop_reason": None,
                    "stop_sequence": None,
                    "usage": {"input_tokens": 9, "output_tokens": 1, "service_tier": "standard"},
                },
            },
        ),
        (
            AnthropicMessages(default_output_tokens=9),
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 12},
            },
        ),
        (AnthropicMessages(default_output_tokens=9), {"type": "message_stop"}),
    ],
)
def test_the_usual_ones_take_the_quick_way(wire_format: WireFormat, event: dict[str, Any]) -> None:
    assert wire_format.read_usual(json.dumps(event)) is not None
