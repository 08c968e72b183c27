"""Whatever was said, both wires send what the strictest chat template takes, and lose nothing."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.item import MessageItem, Role
from workers.providers.anthropic import AnthropicMessages
from workers.providers.openai_compatible import ChatCompletions
from workers.providers.provider import Prompt

WORDS = st.sampled_from(["", " ", "\n\t", "Hello", " Hi\n", "Be brief.  ", "…"])
MESSAGES = st.lists(
    st.builds(MessageItem, role=st.sampled_from(Role), content=WORDS), min_size=1, max_size=8
).filter(lambda messages: any(message.text().strip() for message in messages))
NOTES = st.lists(st.sampled_from(["A fact.", "No."]), max_size=2)


def strictly_taken(messages: list[dict[str, str]]) -> None:
    """What templates with `raise_exception` and Anthropic's own check demand."""
    if messages[0]["role"] == "system":
        assert messages[0]["content"].strip()
        messages = messages[1:]
    assert messages, "nobody asks anything"
    for place, message in enumerate(messages):
        assert message["role"] == ("assistant" if place % 2 else "user")
        assert message["content"].strip()
    last = messages[-1]
    assert last["role"] == "user" or last["content"] == last["content"].rstrip()


def said_in(messages: list[dict[str, str]], said: list[MessageItem]) -> None:
    sent = "\n".join(message["content"] for message in messages)
    for message in said:
        assert message.text().strip() in sent


def _openai_messages(said: list[MessageItem], *notes: str) -> list[dict[str, str]]:
    request = ChatCompletions().request_body(Prompt(items=tuple(said), notes=notes), "m")
    return msgspec.convert(request["messages"], list[dict[str, str]])


@given(said=MESSAGES, notes=NOTES)
async def test_chat_completions_are_asked_as_strict_templates_demand(
    said: list[MessageItem], notes: list[str]
) -> None:
    messages = _openai_messages(said, *notes)
    strictly_taken(messages)
    said_in(messages, [*said, *(MessageItem(Role.USER, note) for note in notes)])


@given(said=MESSAGES, notes=NOTES)
def test_anthropic_is_asked_as_it_demands(said: list[MessageItem], notes: list[str]) -> None:
    prompt = Prompt(items=tuple(said), notes=tuple(notes))
    body: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(AnthropicMessages(default_output_tokens=9).request_body(prompt, "m"))
    )
    system = [{"role": "system", "content": body["system"]}] if "system" in body else []
    strictly_taken([*system, *body["messages"]])
    said_in([*system, *body["messages"]], said)


async def test_a_summary_and_a_complaint_break_no_template() -> None:
    said = [
        MessageItem(Role.SYSTEM, "Be kind."),
        MessageItem(Role.USER, "<summary>They spoke of tea.</summary>"),
        MessageItem(Role.USER, "And coffee?"),
    ]
    system, user = _openai_messages(said, "The last answer named a wrong sum.")
    assert system == {"role": "system", "content": "Be kind."}
    asked, note = user["content"].split("\n\n<system_note>\n")
    assert asked == "<summary>They spoke of tea.</summary>\n\nAnd coffee?"
    assert note.splitlines()[1:] == ["The last answer named a wrong sum.", "</system_note>"]


async def test_instructions_alone_are_the_users_question() -> None:
    messages = _openai_messages([MessageItem(Role.DEVELOPER, "Tell a joke.")])
    assert messages == [{"role": "user", "content": "Tell a joke."}]
