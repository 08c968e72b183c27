"""Whatever was said with tools, both wires ask in a way that the APIs take, and lose nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.scripted_provider.anthropic_demands import anthropic_fault
from deploy.scripted_provider.openai_demands import openai_fault
from shared.messages.item import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    MessageItem,
    ReasoningItem,
    Role,
)
from shared.messages.part import Content, FilePart, ImagePart, InputTextPart
from shared.messages.tool import FunctionTool, ReasoningOptions, ToolChoice
from tests.conformance.providers.official_types import CHAT, MESSAGES, as_official
from workers.providers.anthropic import AnthropicMessages
from workers.providers.openai_compatible import ChatCompletions
from workers.providers.provider import Prompt
from workers.providers.wire.asking.thoughts import sealed
from workers.providers.wire.reading import WireFormat

Case = tuple[WireFormat, Any, Callable[[dict[str, Any]], str | None]]

CASES: dict[str, Case] = {
    "chat": (ChatCompletions(), CHAT, openai_fault),
    "openai": (ChatCompletions(is_openai=True), CHAT, openai_fault),
    "anthropic": (AnthropicMessages(default_output_tokens=4096), MESSAGES, anthropic_fault),
}
IDS = st.sampled_from(["call_0", "call.0", "x" * 50, "ä", "toolu_1"])
TOOLS = (FunctionTool("f"), FunctionTool("g", "Does.", {"type": "object"}, strict=True))
CHOICES = st.sampled_from(
    [
        None,
        ToolChoice("auto"),
        ToolChoice("none"),
        ToolChoice("required"),
        ToolChoice("required", ["f"]),
        ToolChoice("auto", ["g"]),
        ToolChoice("none", ["f"]),
    ]
)
WORDS = st.sampled_from(["", " ", "Hello", " Hi\n", "Be brief.  "])
PARTS = st.sampled_from(
    [
        InputTextPart("What?"),
        InputTextPart(" "),
        ImagePart(image_url="data:image/png;base64,AAAA", detail="low"),
        FilePart(file_data="data:application/pdf;base64,AAAA", filename="a.pdf"),
    ]
)
CONTENT: st.SearchStrategy[Content] = WORDS | st.lists(PARTS, max_size=3)
THOUGHTS = st.sampled_from(
    [
        sealed([{"type": "thinking", "thinking": "Hm.", "signature": "scripted"}], by=maker)
        for maker in (AnthropicMessages(default_output_tokens=9).maker("m"), "another")
    ]
    + [sealed([{"reasoning_content": "Hm."}], by=ChatCompletions().maker("m")), "?"]
)
NAMES = st.sampled_from([None, None, "ann", "bob"])


@st.composite
def rounds(draw: st.DrawFn) -> list[Item]:
    """Calls side by side, and their outputs in any order, with something said between."""
    ids = draw(st.lists(IDS, min_size=1, max_size=3, unique=True))
    thought = draw(st.none() | THOUGHTS)
    said = draw(WORDS)
    calls: list[Item] = [FunctionCall(each, "f", draw(st.sampled_from(["", "{}"]))) for each in ids]
    outputs: list[Item] = [FunctionCallOutput(each, draw(CONTENT)) for each in ids]
    between: list[Item] = [MessageItem(Role.USER, "Hurry!")] if draw(st.booleans()) else []
    return [
        *([ReasoningItem(encrypted_content=thought)] if thought else []),
        MessageItem(Role.ASSISTANT, said),
        *calls,
        *draw(st.permutations([*outputs, *between])),
    ]


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    talk: list[Item] = [MessageItem(Role.USER, "Begin.")]
    for _ in range(draw(st.integers(0, 4))):
        talk += draw(
            rounds()
            | st.builds(MessageItem, st.sampled_from([Role.USER]), CONTENT, name=NAMES).map(_alone)
            | st.builds(MessageItem, st.sampled_from(Role), WORDS, name=NAMES).map(_alone)
        )
    tools = draw(st.sampled_from([(), TOOLS]))
    effort = draw(st.sampled_from([None, "none", "low", "high"]))
    return Prompt(
        items=tuple(talk),
        notes=draw(st.sampled_from([(), ("The sum is wrong.",)])),
        tools=tools,
        tool_choice=draw(CHOICES) if tools else None,
        parallel_tool_calls=draw(st.sampled_from([None, True, False])),
        reasoning=ReasoningOptions(effort=effort) if effort else None,
        prompt_cache_key=draw(st.sampled_from([None, "k"])),
    )


def _alone(item: Item) -> list[Item]:
    return [item]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@settings(deadline=None)  # the types of the clients are built by the first example
@given(prompt=prompts())
def test_any_prompt_is_taken_and_nothing_of_it_is_lost(case: Case, prompt: Prompt) -> None:
    wire, official, fault = case
    body = wire.request_body(prompt, "m")
    assert isinstance(body, dict), body
    for message in body["messages"]:
        # DeepSeek's own field, which OpenAI's client does not know.
        message.pop("reasoning_content", None)

    sent = as_official(official, body)

    assert fault(sent) is None
    assert sent["stream"] is True
    told = json.dumps([sent.get("system"), sent["messages"]], ensure_ascii=False)
    for words in _words_of(prompt):
        assert json.dumps(words, ensure_ascii=False)[1:-1] in told
    calls = [item for item in prompt.items if isinstance(item, FunctionCall)]
    outputs = told.count('"tool_result"') + told.count('"tool"')
    assert outputs == len(calls)


def _words_of(prompt: Prompt) -> Iterator[str]:
    yield from prompt.notes
    for item in prompt.items:
        if isinstance(item, MessageItem | FunctionCallOutput):
            yield item.text().strip().split("\n\n")[0]
