"""All models are down; a rule answers."""

from __future__ import annotations

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour, Kind


async def rules(stage: Stage) -> Told:
    for provider in (stage.primary, stage.secondary):
        provider.script(Behaviour(kind=Kind.SERVER_ERROR))
    heard = await stage.visitor.post("Hello, who is there?")
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    expect(heard.body["model"] == "rules", f"{heard.body['model']} answered.")
    failed = len(stage.primary.calls) + len(stage.secondary.calls)
    return Told(
        f"Both providers failed ({failed} calls), so a rule answered: “{heard.text}”",
        {"failed_calls": failed, "answered_by": "rules"},
    )
