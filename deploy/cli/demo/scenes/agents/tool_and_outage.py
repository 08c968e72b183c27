"""A tool is called and answered over two turns, by two providers that speak different wires."""

from __future__ import annotations

from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.agents.weather import ASKED, GIVEN, OSLO, TOOLS, the_call
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour, Kind

_TOLD: Final = "Take an umbrella."


async def tool_and_outage(stage: Stage) -> Told:
    stage.primary.script(OSLO, tools=True)
    stage.secondary.script(Behaviour(text=_TOLD), output=GIVEN)
    first = await stage.visitor.post([ASKED], tools=TOOLS)
    call = the_call(first)
    # The provider that called the tool does not live to see what it gave.
    stage.primary.reset()
    stage.primary.script(Behaviour(kind=Kind.SERVER_ERROR, status=503))
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": GIVEN}
    heard = await stage.visitor.post([ASKED, *first.body["output"], output], tools=TOOLS)
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    expect(heard.text == _TOLD, f"The agent was told “{heard.text}”.")
    (answered,) = stage.secondary.calls
    expect(answered.outputs == (GIVEN,), f"The second provider was given {answered.outputs}.")
    return Told(
        f"The model called `{call['name']}({call['arguments']})`, and then its provider died. The "
        f"second one speaks {answered.wire.capitalize()}'s wire, was given the call and “{GIVEN}” "
        f"in it, and answered: “{heard.text}”",
        {
            "call_id": call["call_id"],
            "failed_calls": len(stage.primary.calls),
            "answered_over": answered.wire,
        },
    )
