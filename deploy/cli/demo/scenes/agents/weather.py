"""A tool of an agent: the weather in a city."""

from __future__ import annotations

from typing import Any, Final

from deploy.cli.demo.scene import expect
from deploy.cli.demo.visitor import Heard
from deploy.scripted_provider.behaviour import Behaviour, CalledTool

ASKED: Final = {"role": "user", "content": "Do I need an umbrella in Oslo?"}
GIVEN: Final = "rain all day"
"""What the tool gives."""
TOOLS: Final = [
    {
        "type": "function",
        "name": "get_weather",
        "description": "The weather in a city.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    }
]
OSLO: Final = Behaviour(calls=(CalledTool("get_weather", '{"city":"Oslo"}'),))
"""A model that wants to know it of Oslo."""


def the_call(heard: Heard) -> dict[str, Any]:
    """The one item of a response that calls a tool."""
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    calls = [item for item in heard.body["output"] if item["type"] == "function_call"]
    expect(len(calls) == 1, f"It has {len(calls)} calls.")
    return dict(calls[0])
