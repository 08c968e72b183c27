"""The first provider is down; the second one answers."""

from __future__ import annotations

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage
from deploy.scripted_provider.behaviour import Behaviour, Kind


async def provider_outage(stage: Stage) -> Told:
    stage.primary.script(Behaviour(kind=Kind.SERVER_ERROR, status=503))
    heard = await stage.visitor.post("Is anybody there?")
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    failed, answered = len(stage.primary.calls), len(stage.secondary.calls)
    expect(failed >= 1, "The first provider was not even asked.")
    expect(answered == 1, f"The second provider was asked {answered} times.")
    return Told(
        f"The first provider answered {failed} times with 503, so the second one answered: "
        f"“{heard.text}”",
        {"failed_calls": failed, "answered_by": "secondary"},
    )
