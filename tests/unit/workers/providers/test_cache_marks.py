"""What the caller says may be kept is said to Anthropic at its place, and changes nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem, Role
from shared.messages.part import CacheBreakpoint, ImagePart, InputTextPart, OutputTextPart
from shared.messages.tool import FunctionTool
from tests.conformance.providers.official_types import CHAT, MESSAGES, as_official
from workers.providers.anthropic import AnthropicMessages
from workers.providers.failures import UnknownFieldError
from workers.providers.openai_compatible import ChatCompletions
from workers.providers.provider import Prompt

KEPT, LONG = CacheBreakpoint("ephemeral"), CacheBreakpoint("ephemeral", "1h")
TOLD = {"type": "ephemeral"}


@pytest.fixture
def wire() -> AnthropicMessages:
    return AnthropicMessages(default_output_tokens=4_000)


def sent(wire: AnthropicMessages, *items: Item, **asked: Any) -> dict[str, Any]:
    return as_official(MESSAGES, wire.request_body(Prompt(items=items, **asked), "m"))


def user(*parts: InputTextPart | ImagePart) -> MessageItem:
    return MessageItem(Role.USER, [*parts])


def text(words: str, kept: CacheBreakpoint | None = None) -> dict[str, Any]:
    told = {} if kept is None else {"cache_control": msgspec.to_builtins(kept)}
    return {"type": "text", "text": words, **told}


def test_each_mark_stands_where_the_caller_put_it(wire: AnthropicMessages) -> None:
    picture = ImagePart("https://a.example/b.png", cache_control=KEPT)
    call = FunctionCall("c", "f", "{}")
    body = sent(
        wire,
        MessageItem(Role.SYSTEM, [InputTextPart("Be kind.", LONG), InputTextPart("Be brief.")]),
        user(InputTextPart("Look:"), picture),
        call,
        FunctionCallOutput("c", "done", cache_control=KEPT),
        tools=(FunctionTool("f", cache_control=LONG),),
        prompt_cache_key="k",
    )
    assert body["tools"][0]["cache_control"] == {**TOLD, "ttl": "1h"}
    assert body["system"] == [text("Be kind.", LONG), text("Be brief.")]
    first, _, result = body["messages"]
    assert first["content"][0] == text("Look:")
    assert first["content"][1]["cache_control"] == TOLD
    assert result["content"][0]["cache_control"] == TOLD
    assert "cache_control" not in body, "a fifth would be refused"


def test_when_the_marks_move_on_all_else_stays_as_it_was(wire: AnthropicMessages) -> None:
    said = [InputTextPart("One."), InputTextPart("Two.")]
    answer = MessageItem(Role.ASSISTANT, [OutputTextPart("Yes."), OutputTextPart("No.")])
    system = MessageItem(Role.SYSTEM, [InputTextPart("Be"), InputTextPart("kind.")])
    marked = user(said[0], InputTextPart("Two.", KEPT))
    now = sent(wire, system, marked)
    then = sent(wire, system, user(*said), answer, user(InputTextPart("Three.", KEPT)))
    assert now["messages"][0]["content"][1].pop("cache_control") == TOLD
    assert then["messages"][0] == now["messages"][0]
    assert then["system"] == now["system"]


def test_of_the_marks_of_many_turns_the_last_four_are_said(wire: AnthropicMessages) -> None:
    turns = [user(InputTextPart(str(nth), KEPT)) for nth in range(6)]
    said = [part for turn in turns for part in (turn, MessageItem(Role.ASSISTANT, "Yes."))][:-1]
    blocks = [block for each in sent(wire, *said)["messages"] for block in each["content"]]
    assert [block["text"] for block in blocks if "cache_control" in block] == ["2", "3", "4", "5"]


def test_five_minutes_before_an_hour_are_not_said(wire: AnthropicMessages) -> None:
    blocks = sent(wire, user(InputTextPart("a", KEPT), InputTextPart("b", LONG)))["messages"][0]
    assert blocks["content"] == [text("a"), text("b", LONG)]


def test_a_server_that_knows_none_is_asked_without_and_that_is_told(
    wire: AnthropicMessages,
) -> None:
    prompt = Prompt(items=(user(InputTextPart("Hi", KEPT)),))
    refusal = UnknownFieldError("no", provider_message="messages.0: cache_control: Extra inputs")
    body = wire.request_body(prompt, "m")
    assert isinstance(body, dict)
    assert wire.dropped(prompt, "m") == ()
    assert wire.leave_out(refusal, "m", sent=body)
    assert sent(wire, *prompt.items)["messages"][0]["content"] == [text("Hi")]
    assert wire.dropped(prompt, "m") == ("cache_control",)
    again = wire.request_body(prompt, "m")
    assert isinstance(again, dict)
    assert not wire.leave_out(refusal, "m", sent=again), "it would be refused for ever"


def test_servers_of_chat_are_told_the_same_without_and_that_is_told() -> None:
    chat = ChatCompletions()
    plain = Prompt(items=(MessageItem(Role.USER, "Hi"),), tools=(FunctionTool("f"),))
    marked = Prompt(
        items=(user(InputTextPart("Hi", KEPT)),), tools=(FunctionTool("f", cache_control=KEPT),)
    )
    told = [as_official(CHAT, chat.request_body(prompt, "m")) for prompt in (plain, marked)]
    assert told[0] == told[1]
    assert chat.dropped(plain, "m") == ()
    assert chat.dropped(marked, "m") == ("cache_control",)
