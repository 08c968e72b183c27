"""No model and no rule knows; a person answers, with a command."""

from __future__ import annotations

import asyncio

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.embedded.environment import child_environment, python_command
from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.identifiers import HANDOFF, sibling_id

_ANSWER = "Your contract ends on 31 March; I have sent you the letter."


async def handoff(stage: Stage) -> Told:
    for provider in (stage.primary, stage.secondary):
        provider.script(Behaviour(kind=Kind.SERVER_ERROR))
    asked = await stage.visitor.post("When does my contract end?")
    expect(asked.state == "requires_action", f"The response is {asked.state}: {asked.body}")
    handoff_id = sibling_id(HANDOFF, asked.body["id"])
    command = python_command("deploy.cli", "handoff", "answer", handoff_id, _ANSWER, "--by", "demo")
    answering = await asyncio.create_subprocess_exec(
        *command,
        env=child_environment(stage.environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await answering.communicate()
    expect(answering.returncode == 0, f"The command failed: {said.decode(errors='replace')}")
    heard = await stage.visitor.get(asked.body["id"], wait_seconds=10)
    expect(heard.state == "completed", f"The response is {heard.state} after the answer.")
    expect(heard.text == _ANSWER, f"The producer got “{heard.text}”.")
    return Told(
        f"Nobody knew, so a person was asked (`forebay handoff answer {handoff_id} …`) and the "
        f"producer got: “{heard.text}”",
        {"handoff_id": handoff_id, "first_said": asked.text},
    )
