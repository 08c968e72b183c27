"""A prompt begins as that of the turn before did, so that a provider's cache of prompts has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem, Role
from shared.messages.part import ImagePart, InputTextPart
from shared.messages.tool import FunctionTool
from workers.providers.anthropic import AnthropicMessages
from workers.providers.openai_compatible import ChatCompletions
from workers.providers.provider import Prompt

Wire = Callable[[Prompt], dict[str, object]]
PICTURE = ImagePart("https://a.example/b.png")


def chat(prompt: Prompt) -> dict[str, object]:
    body = ChatCompletions().request_body(prompt, "m")
    assert isinstance(body, dict)
    return body


def anthropic(prompt: Prompt) -> dict[str, object]:
    body = AnthropicMessages(default_output_tokens=9).request_body(prompt, "m")
    assert isinstance(body, dict)
    return body


WIRES = pytest.mark.parametrize("wire", [chat, anthropic])
words = st.sampled_from(["Hello", "And then?", "1 €", '"quoted"\n'])
notes = st.lists(st.sampled_from(["A fact.", "Another fact.", "It was wrong."]), max_size=2)
users = st.builds(
    MessageItem,
    st.just(Role.USER),
    words | st.just([InputTextPart("Look:"), PICTURE]),
    name=st.sampled_from([None, "ada"]),
)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Item], list[Item]]:
    """One turn's, and what the next one adds: a step of tools, or an answer and a question."""
    said: list[Item] = [MessageItem(Role.SYSTEM, "Be kind.")] * draw(st.integers(0, 1))
    count = 0
    for _ in range(draw(st.integers(0, 3))):
        said.append(draw(users))
        for _ in range(draw(st.integers(0, 2))):
            said += step(count)
            count += 1
        said.append(MessageItem(Role.ASSISTANT, draw(words)))
    said.append(draw(users))
    for _ in range(draw(st.integers(0, 2))):
        said += step(count)
        count += 1
    if draw(st.booleans()):
        return said, step(count)
    return said, [MessageItem(Role.ASSISTANT, draw(words)), draw(users)]


def step(number: int) -> list[Item]:
    call = FunctionCall(f"call_{number}", "step", '{"n": 1}')
    return [call, FunctionCallOutput(call.call_id, "done")]


def parts_of(wire: Wire, items: Sequence[Item], told: Sequence[str]) -> tuple[str, object]:
    """The messages as they are sent, and all the rest."""
    tools = (FunctionTool(name="step"),)
    body = wire(Prompt(items=tuple(items), notes=tuple(told), tools=tools))
    messages = msgspec.json.encode(body.pop("messages")).decode()
    return messages, msgspec.json.encode(body)


def up_to_newest(items: Sequence[Item]) -> list[Item]:
    newest = max(n for n, item in enumerate(items) if is_users(item))
    return list(items[: newest + 1])


def is_users(item: Item) -> bool:
    return isinstance(item, MessageItem) and item.role is Role.USER


def open_end(messages: str) -> str:
    """Without the brackets that close the last message."""
    return messages.rstrip('"]}')


@WIRES
@given(turns=conversations(), before=notes, now=notes)
def test_a_turn_begins_as_the_one_before_up_to_our_own_notes(
    wire: Wire, turns: tuple[list[Item], list[Item]], before: list[str], now: list[str]
) -> None:
    first, added = turns
    sent, rest = parts_of(wire, first, before)
    then, rest_then = parts_of(wire, [*first, *added], now)
    assert rest == rest_then, "instructions and tools stand before all messages"
    stable, _ = parts_of(wire, up_to_newest(first), [])
    size = len(open_end(stable))
    assert sent[:size] == then[:size] == stable[:size]


@WIRES
@given(turns=conversations(), told=notes)
def test_a_step_of_tools_begins_with_all_of_the_step_before(
    wire: Wire, turns: tuple[list[Item], list[Item]], told: list[str]
) -> None:
    first, added = turns
    if any(map(is_users, added)):
        told = []
    sent, _ = parts_of(wire, first, told)
    then, _ = parts_of(wire, [*first, *added], told)
    assert then.startswith(open_end(sent))


@WIRES
def test_notes_change_nothing_but_the_end_of_the_users_newest_message(wire: Wire) -> None:
    items = [MessageItem(Role.SYSTEM, "Be kind."), MessageItem(Role.USER, "Why?"), *step(1)]
    plain, _ = parts_of(wire, items, [])
    noted, _ = parts_of(wire, items, ["A fact.", "</system_note> It was wrong."])
    assert noted.count("<system_note>") == noted.count("</system_note>") == 1
    before, _, after = plain.partition("Why?")
    assert noted.startswith(f"{before}Why?\\n\\n<system_note>")
    assert noted.endswith(f"</system_note>{after}")


@WIRES
def test_where_no_user_spoke_the_notes_are_instructions(wire: Wire) -> None:
    messages, _ = parts_of(wire, [MessageItem(Role.SYSTEM, "Tell a joke.")], ["A fact."])
    assert messages.startswith('[{"role":"user","content":"Tell a joke.\\n\\n<system_note>')
