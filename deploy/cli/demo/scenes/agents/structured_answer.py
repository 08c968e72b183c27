"""An answer in a form, filled in by calling a tool; what does not fit the form never arrives."""

from __future__ import annotations

from typing import Final

import msgspec

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.agents.weather import the_call
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour, CalledTool

_FORM: Final = {
    "type": "function",
    "name": "author",
    "description": "Who wrote something, and when.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "year": {"type": "integer"}},
        "required": ["name", "year"],
        "additionalProperties": False,
    },
}
_WRONG: Final = '{"name":"Ada Lovelace","year":"long ago"}'
_RIGHT: Final = '{"name":"Ada Lovelace","year":1843}'


async def structured_answer(stage: Stage) -> Told:
    for arguments in (_WRONG, _RIGHT):
        stage.primary.script(Behaviour(calls=(CalledTool("author", arguments),), times=1))
    heard = await stage.visitor.post(
        "Who wrote the first program?",
        tools=[_FORM],
        tool_choice={"type": "function", "name": "author"},
    )
    arguments = the_call(heard)["arguments"]
    expect(msgspec.json.decode(arguments) == msgspec.json.decode(_RIGHT), f"It is {arguments}.")
    asked = len(stage.primary.calls)
    expect(asked == 2, f"The provider was asked {asked} times.")
    return Told(
        f"The model was to answer by a tool's schema and wrote {_WRONG}: not let through, and "
        f"asked again. The agent got {arguments}",
        {"provider_calls": asked, "arguments": arguments},
    )
