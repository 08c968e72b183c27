"""What every provider of models makes of what a model thinks before it speaks."""

from __future__ import annotations

from typing import Any

import pytest

from shared.messages.item import FunctionCall, FunctionCallOutput, ReasoningItem
from shared.messages.tool import FunctionTool, ReasoningOptions
from tests.conformance.providers.adapters import Adapter, Build
from tests.conformance.providers.playing_server import JSON, PlayingServer
from tests.integration.providers.asking import prompt
from workers.providers.failures import UnknownFieldError
from workers.providers.outcome import Answer
from workers.providers.provider import Piece, Prompt, Provider

TOOLS = (FunctionTool("f"),)
TOLD = ReasoningOptions(effort="low", summary="auto")
THOUGHT = ("Hm, ", "roads.")


@pytest.fixture
def asked(build: Build, server: PlayingServer) -> Provider:
    return build(server.url, first_token_seconds=60, idle_seconds=60)


def thinks_and_says(adapter: Adapter, *said: str) -> list[str]:
    words = adapter.words
    return [*words.thought(*THOUGHT), *said, *words.closing(next(iter(words.finishes)), None)]


async def heard_of(provider: Provider, asked: Prompt) -> tuple[Answer, list[Piece]]:
    heard: list[Piece] = []

    async def hear(piece: Piece) -> None:
        heard.append(piece)

    answer = await provider.answer(asked, time_left_seconds=60, on_delta=hear)
    assert isinstance(answer, Answer)
    return answer, heard


async def test_a_thought_is_whole_before_the_text_and_later_ones_are_counted_alone(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    words = adapter.words
    server.streams(*thinks_and_says(adapter, words.piece("42"), *words.thought("No!")))

    answer, heard = await heard_of(asked, prompt(reasoning=TOLD))

    (thought,) = answer.items
    assert isinstance(thought, ReasoningItem)
    assert thought.summary == ({"type": "summary_text", "text": "Hm, roads."},)
    assert heard[0] is thought
    assert "".join(piece for piece in heard[1:] if isinstance(piece, str)) == answer.text == "42"
    assert answer.usage.output_tokens > 2


async def test_a_thought_is_told_to_who_asked_and_kept_where_calls_may_follow(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.streams(*thinks_and_says(adapter, adapter.words.piece("42")))

    nothing, heard = await heard_of(asked, prompt())
    (signed,) = (await heard_of(asked, prompt(reasoning=ReasoningOptions(effort="low"))))[0].items
    (kept,) = (await heard_of(asked, prompt(tools=TOOLS)))[0].items

    assert nothing.items == ()
    assert heard == ["42"]
    for thought in (signed, kept):
        assert isinstance(thought, ReasoningItem)
        assert not thought.summary
        assert thought.encrypted_content


async def test_a_model_gets_back_what_it_thought_and_no_other_model_does(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.streams(*thinks_and_says(adapter, adapter.words.tool_call()))
    answer, heard = await heard_of(asked, prompt(tools=TOOLS))
    thought, call = answer.items
    assert isinstance(call, FunctionCall)
    assert heard == []
    items = (*prompt().items, thought, call, FunctionCallOutput(call.call_id, "1"))

    for model in ("auto", "large"):
        again = Prompt(items=items, tools=TOOLS, model=model)
        await asked.answer(again, time_left_seconds=60)

    back, elsewhere = (said_by_the_model(body) for body in server.asked[1:])
    assert adapter.words.thought_in(back) == "Hm, roads."
    assert "sig" not in str(elsewhere)


@pytest.mark.parametrize(
    "words",
    [
        "messages.1.content.0: Invalid `signature` in `thinking` block",
        "Thought signature is not valid",
        "The reasoning of messages[1] has an unknown signature.",
    ],
)
async def test_a_thought_whose_signature_is_refused_is_left_out_of_the_next_call(
    adapter: Adapter, asked: Provider, server: PlayingServer, words: str
) -> None:
    server.streams(*thinks_and_says(adapter, adapter.words.tool_call()))
    answer, _ = await heard_of(asked, prompt(tools=TOOLS))
    thought, call = answer.items
    assert isinstance(call, FunctionCall)
    items = (*prompt().items, thought, call, FunctionCallOutput(call.call_id, "1"))
    again = Prompt(items=items, tools=TOOLS, reasoning=ReasoningOptions(effort="low"))
    refusal = adapter.words.error(words, code="invalid_request_error").encode()
    server.sends(JSON, refusal, status=400)

    for is_mended in (True, False):
        with pytest.raises(UnknownFieldError) as refused:
            await asked.answer(again, time_left_seconds=60)
        assert refused.value.is_mended is is_mended, "it would be refused for ever"

    first, second = server.asked[1:]
    assert "sig" in str(first)
    assert "sig" not in str(second)
    assert said_by_the_model(second)


def said_by_the_model(body: dict[str, Any]) -> dict[str, Any]:
    (message,) = (each for each in body["messages"] if each["role"] == "assistant")
    said: dict[str, Any] = message
    return said
