"""A conversation with tools goes from one API to the other in the middle, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deploy.scripted_provider.behaviour import Behaviour, CalledTool, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.clock import SystemClock
from shared.messages.item import FunctionCallOutput, Item
from shared.messages.tool import FunctionTool, ReasoningOptions
from tests.integration.providers.asking import http_model, prompt
from workers.providers.chain import Chain, ChainLink
from workers.providers.outcome import Answer
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = (FunctionTool("weather", parameters=SCHEMA),)


@pytest.fixture
def chain(scripted: ScriptedProvider, connections: ProviderConnections) -> Chain:
    """OpenAI's API, then Anthropic's; both at the scripted server."""
    return Chain(
        [
            ChainLink(provider=http_model(connections, url, wire=wire, name=wire, model=wire))
            for wire, url in (("openai", scripted.openai_url), ("anthropic", scripted.url))
        ],
        clock=SystemClock(),
    )


async def answered(chain: Chain, items: tuple[Item, ...], by: str) -> Answer:
    asked = Prompt(items=items, tools=TOOLS, reasoning=ReasoningOptions(effort="low"))
    deadline = SystemClock().now() + timedelta(seconds=20)
    result = await chain.answer(asked, deadline=deadline)
    assert result.provider == by
    assert isinstance(result.outcome, Answer)
    return result.outcome


async def test_each_goes_on_from_the_calls_of_the_other(
    scripted: ScriptedProvider, chain: Chain
) -> None:
    """Three calls and an answer; OpenAI's API refuses the second and the third of the four."""
    for _ in range(2):  # the second that each of the two rules hears of
        scripted.script(Behaviour(kind=Kind.INVALID_REQUEST), model="openai", nth=2)
    scripted.script(Behaviour(text="It will rain."), output="rain 2")
    scripted.script(Behaviour(calls=(CalledTool(arguments='{"city": "Ulm"}'),), thought="Hm."))
    items = prompt("Rain in Ulm?").items
    for nth, by in enumerate(("openai", "anthropic", "anthropic")):
        answer = await answered(chain, items, by)
        (call,) = answer.calls
        items = (*items, *answer.items, FunctionCallOutput(call.call_id, f"rain {nth}"))

    assert (await answered(chain, items, "openai")).text == "It will rain."
    assert "refused" not in [call.behaviour for call in scripted.calls]
