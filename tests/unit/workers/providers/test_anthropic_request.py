"""A prompt in Anthropic's words: nothing it would refuse, nothing the caller would miss."""

from __future__ import annotations

import msgspec

from shared.messages.item import MessageItem, Role
from workers.providers.anthropic import AnthropicMessages
from workers.providers.outcome import Declined
from workers.providers.provider import Prompt


def sent(*messages: tuple[Role, str], **parameters: object) -> dict[str, object]:
    spoken = tuple(MessageItem(role, content) for role, content in messages)
    prompt = Prompt(items=spoken, **parameters)  # type: ignore[arg-type]
    body = AnthropicMessages(default_output_tokens=99).request_body(prompt, "claude")
    decoded: dict[str, object] = msgspec.json.decode(msgspec.json.encode(body))
    return decoded


def test_instructions_are_separated_and_the_demanded_limit_is_sent() -> None:
    body = sent(
        (Role.SYSTEM, "Be brief."),
        (Role.DEVELOPER, "Be kind."),
        (Role.USER, "Hi"),
        (Role.ASSISTANT, "Hello"),
        (Role.USER, "Bye"),
    )

    assert body == {
        "model": "claude",
        "max_tokens": 99,
        "system": "Be brief.\n\nBe kind.",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Bye"},
        ],
        "stream": True,
    }


def test_what_anthropic_refuses_in_a_conversation_is_left_out() -> None:
    body = sent((Role.ASSISTANT, "cut off"), (Role.USER, "Hi"), (Role.ASSISTANT, " "))

    assert body["messages"] == [
        {"role": "user", "content": "…"},
        {"role": "assistant", "content": "cut off"},
        {"role": "user", "content": "Hi"},
    ]


def test_parameters_are_translated_and_foreign_ones_left_out() -> None:
    body = sent(
        (Role.USER, "Hi"),
        max_output_tokens=7,
        temperature=1.7,
        top_p=0.5,
        stop=("END",),
        extra={"seed": 1, "presence_penalty": 0.5, "top_k": 3},
    )

    assert body | {"messages": []} == {
        "model": "claude",
        "max_tokens": 7,
        "temperature": 1.0,
        "stop_sequences": ["END"],
        "top_k": 3,
        "messages": [],
        "stream": True,
    }
    assert sent((Role.USER, "Hi"), top_p=0.5)["top_p"] == 0.5


def test_a_json_schema_is_kept() -> None:
    schema = {"type": "object"}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    body = sent((Role.USER, "Hi"), extra={"response_format": wanted})

    assert body["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


def test_json_without_a_schema_cannot_be_promised() -> None:
    def declines(**extra: object) -> bool:
        wire = AnthropicMessages(default_output_tokens=9)
        return isinstance(wire.request_body(Prompt(items=(), extra=extra), "m"), Declined)

    assert declines(response_format={"type": "json_object"})
    assert not declines(response_format={"type": "json_schema", "json_schema": {}})
    assert not declines()


def test_what_it_has_no_words_for_is_named() -> None:
    wire = AnthropicMessages(default_output_tokens=9)
    extra = {"seed": 1, "verbosity": "low", "top_k": 3, "response_format": {"type": "text"}}
    assert wire.dropped(Prompt(items=(), extra=extra), "m") == ("seed", "verbosity")
