"""Thoughts as servers really tell them: what is kept of them, whatever their shape."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.item import MessageItem, ReasoningItem, Role
from shared.messages.tool import FunctionTool, ReasoningOptions
from workers.providers.anthropic import AnthropicMessages
from workers.providers.openai_compatible import ChatCompletions
from workers.providers.outcome import Answer
from workers.providers.provider import Prompt
from workers.providers.wire.asking.thoughts import sealed, unsealed
from workers.providers.wire.incoming_answer import IncomingAnswer
from workers.providers.wire.loose_json import decoded, mapping
from workers.providers.wire.reading import END, WireFormat

PROMPT = Prompt(
    items=(MessageItem(Role.USER, "Hi"),),
    tools=(FunctionTool("f"),),
    reasoning=ReasoningOptions(summary="auto"),
)
CHAT = ChatCompletions()


def answer_of(wire: WireFormat, *events: dict[str, Any]) -> Answer:
    incoming = IncomingAnswer(PROMPT, provider="p", asked_model="m", maker="maker")
    for event in events:
        incoming.take(wire.read_event(mapping(decoded(json.dumps(event)))) or END)
    return incoming.answer()


def kept_of(*deltas: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The summary and the blocks of what a server of OpenAI's chat tells in these."""
    said = {"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]}
    told = [{"choices": [{"delta": delta}]} for delta in deltas]
    (thought,) = answer_of(CHAT, *told, said).items
    assert isinstance(thought, ReasoningItem)
    (part,) = thought.summary
    return part["text"], unsealed(thought, by="maker")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_a_text_is_kept_under_its_own_name(field: str) -> None:
    assert kept_of({field: "Hm, "}, {field: "well."}) == ("Hm, well.", [{field: "Hm, well."}])


def test_what_is_said_twice_is_read_once_and_kept_in_parts() -> None:
    part = {"type": "reasoning.summary", "format": "f", "index": 0}
    hidden = {"type": "reasoning.encrypted", "data": "xyz", "id": "rs_1", "index": 1}
    summary, blocks = kept_of(
        {"reasoning": "Hm, ", "reasoning_details": [{**part, "summary": "Hm, "}]},
        {"reasoning": "well.", "reasoning_details": [{**part, "summary": "well."}]},
        {"reasoning_details": [{**hidden, "surprise": [1]}]},
    )

    assert summary == "Hm, well."
    assert blocks == [{**part, "summary": "Hm, well."}, hidden]


def test_anthropic_counts_what_was_thought() -> None:
    usage = {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 7}}
    answer = answer_of(
        AnthropicMessages(default_output_tokens=9),
        {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 3}}},
        {
            "type": "content_block_delta",
            "delta": {"type": "text_delta", "text": "Yes, that is it."},
        },
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
    )
    assert (answer.usage.output_tokens, answer.usage.reasoning_tokens) == (9, 7)


def test_a_thought_beyond_all_measure_is_told_and_not_kept() -> None:
    summary, blocks = kept_of({"reasoning": "x" * 2_000_000})
    assert (len(summary), blocks) == (2_000_000, [])


odd = st.recursive(
    st.sampled_from([None, "", "x", "\ud83d", "\0", 0, 2**80, -1, 1.5, True, "thinking"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
)
NAMES = ["type", "text", "summary", "data", "signature", "index", "id", "thinking", "format"]
blocks = st.dictionaries(st.sampled_from(NAMES), odd)
deltas = st.dictionaries(
    st.sampled_from(["reasoning", "reasoning_content", "thinking"]), odd
) | st.fixed_dictionaries({"reasoning_details": st.lists(blocks | odd, max_size=3) | odd})
events = st.builds(
    lambda kind, index, block: {
        "type": kind,
        "index": index,
        "delta": block,
        "content_block": {"type": "thinking", **block},
    },
    st.sampled_from(["content_block_start", "content_block_delta"]),
    odd,
    blocks,
)


@given(st.lists(deltas, max_size=4))
def test_no_shape_of_a_thought_breaks_an_answer_of_chat(told: list[dict[str, Any]]) -> None:
    said = {"choices": [{"delta": {"content": "Yes."}, "finish_reason": "stop"}]}
    answer = answer_of(CHAT, *({"choices": [{"delta": delta}]} for delta in told), said)
    _goes_back(CHAT, answer)


@given(st.lists(events, max_size=4))
def test_no_shape_of_a_thought_breaks_an_answer_of_anthropic(told: list[dict[str, Any]]) -> None:
    wire = AnthropicMessages(default_output_tokens=9)
    delta = {"type": "text_delta", "text": "Yes."}
    _goes_back(wire, answer_of(wire, *told, {"type": "content_block_delta", "delta": delta}))


def _goes_back(wire: WireFormat, answer: Answer) -> None:
    """As it was kept, and as a caller may send it in its place."""
    assert answer.text.endswith("Yes.")
    for item in answer.items:
        assert isinstance(item, ReasoningItem)
        for kept in (item.encrypted_content, sealed([{"type": "x", "a": 1}], by=wire.maker("m"))):
            thought = ReasoningItem(encrypted_content=kept)
            again = Prompt(items=(*PROMPT.items, thought, MessageItem(Role.ASSISTANT, "Yes.")))
            assert isinstance(wire.request_body(again, "m"), dict)


@given(st.binary() | st.builds(lambda value: json.dumps(value).encode(), odd))
def test_what_a_caller_made_of_it_is_nothing_or_blocks(content: bytes) -> None:
    for text in (urlsafe_b64encode(content).decode(), content.decode("latin-1")):
        assert unsealed(ReasoningItem(encrypted_content=text), by="maker") == []
