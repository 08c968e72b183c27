"""Every provider of models calls tools, hears of their outputs, and sees images."""

from __future__ import annotations

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem, Role
from shared.messages.part import ImagePart, InputTextPart
from shared.messages.tool import FunctionTool, ReasoningOptions, ToolChoice
from tests.conformance.providers.adapters import Adapter, Build
from tests.conformance.providers.official_types import as_official
from tests.conformance.providers.playing_server import JSON, PlayingServer
from tests.integration.providers.asking import Heard, failure, prompt
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer, FinishReason
from workers.providers.provider import Prompt, Provider

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = (FunctionTool("weather", "Tells it.", SCHEMA, strict=True), FunctionTool("time"))
CALLS = (
    FunctionCall(
        "id_1", "weather", '{"city":  "Ünï 👋",\n "n": 1.0, "big": 123456789012345678901}'
    ),
    FunctionCall("id_2", "time", '{"b": null, "a": []}'),
)
IMAGE = ImagePart(image_url="data:image/png;base64,AAAA", detail="high")


@pytest.fixture
def asked(build: Build, server: PlayingServer) -> Provider:
    return build(server.url, first_token_seconds=60, idle_seconds=60)


async def answer_of(provider: Provider, asked: Prompt) -> Answer:
    answer = await provider.answer(asked, time_left_seconds=60, on_delta=Heard())
    assert isinstance(answer, Answer)
    return answer


async def test_calls_side_by_side_are_kept_byte_for_byte(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.streams(*adapter.words.calls(*CALLS))

    answer = await answer_of(asked, prompt(tools=TOOLS))

    assert answer.items == CALLS
    assert (answer.text, answer.finish, answer.is_certain) == ("", FinishReason.STOP, True)
    assert answer.usage.output_tokens > 10


async def test_calls_in_one_body_are_the_same(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    call = FunctionCall("id_1", "weather", '{"city":"Ulm"}')
    server.sends(JSON, adapter.words.calls_at_once(call, CALLS[1]).encode())

    first, second = (await answer_of(asked, prompt(tools=TOOLS))).calls

    assert first == call
    assert (second.call_id, second.name) == ("id_2", "time")


async def test_a_call_that_is_cut_is_no_answer(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    *begun, _ = adapter.words.calls(CALLS[0])[:-1]
    server.streams(*begun, ends="cut")

    error = await failure(asked)

    assert error.error_class is ErrorClass.CUT_STREAM
    assert error.after_first_token


@pytest.mark.parametrize("written", ["", '{"city": "U'])
async def test_a_call_at_which_the_limit_was_reached_is_none(
    adapter: Adapter, asked: Provider, server: PlayingServer, written: str
) -> None:
    """Nobody runs a tool with the arguments that were not written yet."""
    bare = FunctionCall("id_1", "time", "")
    begun = FunctionCall("id_2", "weather", written)
    words = adapter.words
    limit = next(word for word, finish in words.finishes.items() if finish is FinishReason.LENGTH)
    closing = words.closing(limit, None)
    server.streams(*words.calls(bare, begun)[: -len(closing)], *closing)

    answer = await answer_of(asked, prompt(tools=TOOLS))

    assert answer.finish is FinishReason.LENGTH
    assert answer.items == (FunctionCall("id_1", "time", "{}"),)


async def test_all_that_can_be_asked_is_in_the_words_of_the_official_client(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.streams(*adapter.words.calls(CALLS[1]))
    items: tuple[Item, ...] = (
        *prompt().items,
        *CALLS,
        FunctionCallOutput("id_2", [InputTextPart("noon"), IMAGE]),
        FunctionCallOutput("id_1", "rain"),
        MessageItem(Role.USER, [InputTextPart("And this?"), IMAGE], name="ann"),
    )

    await answer_of(
        asked,
        Prompt(
            items=items,
            tools=TOOLS,
            tool_choice=ToolChoice("required", ["time", "weather"]),
            parallel_tool_calls=False,
            reasoning=ReasoningOptions(effort="low"),
            prompt_cache_key="k",
            stop=("X",),
            max_output_tokens=4_000,
        ),
    )

    (body,) = server.asked
    sent = as_official(adapter.official, body)
    assert str(sent).count("AAAA") == 2
    for text in ("rain", "noon", "And this?", "ann", "Ünï 👋"):
        assert text in str(sent)


@pytest.mark.parametrize("choice", [None, ToolChoice("required"), ToolChoice("auto", ["weather"])])
async def test_a_tool_is_used_over_two_turns_by_a_server_that_refuses_what_is_out_of_order(
    build: Build, scripted: ScriptedProvider, choice: ToolChoice | None
) -> None:
    scripted.script(Behaviour(kind=Kind.TOOLS))
    provider, first = build(), prompt("Rain in Ulm?", tools=TOOLS, tool_choice=choice)

    (call,) = (await answer_of(provider, first)).calls
    items = (*first.items, call, FunctionCallOutput(call.call_id, "rain"))
    end = await answer_of(provider, Prompt(items=items, tools=TOOLS))
    hurried = (*items, MessageItem(Role.USER, "Well?"))
    await answer_of(provider, Prompt(items=hurried, tools=TOOLS))
    later = (*items, MessageItem(Role.ASSISTANT, end.text), *prompt("And now?").items)
    without_tools = await answer_of(provider, Prompt(items=later))

    assert (call.name, call.arguments) == ("weather", '{"city":"Rain in Ulm?"}')
    assert end.text == "rain"
    assert without_tools.text == "You said: And now?"


async def test_an_image_is_seen(build: Build, scripted: ScriptedProvider) -> None:
    scripted.script(Behaviour(text="Two of them."), images=2)
    said = MessageItem(Role.USER, [InputTextPart("What is this?"), IMAGE, IMAGE])

    assert (await answer_of(build(), Prompt(items=(said,)))).text == "Two of them."
