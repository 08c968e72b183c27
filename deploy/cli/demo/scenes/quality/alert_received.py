"""A provider dies: an alert fires at a signed webhook, and resolves there once it is back."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import msgspec

from deploy.cli.demo.scene import SceneFailed, Told, expect
from deploy.cli.demo.stage import Stage, until
from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.alerts.catalogue import AlertCatalogue
from shared.alerts.rule import Alert
from shared.alerts.state import AlertEventKind
from shared.alerts.telling.message import AlertMessage, ToldAlert
from shared.breakers.reading import BreakerState
from shared.clock import SystemClock

_RULE: Final = "breaker_open"
_MODEL: Final = "primary/scripted"
_CALLS: Final = 40
_PATIENCE_SECONDS: Final = 60.0
_GROUP_SECONDS: Final = 2.5
"""After this what was decided has been told: a round, a group and a delivery of the demo's."""


async def alert_received(stage: Stage) -> Told:
    await _quiet(stage)
    began = time.monotonic()
    await _die(stage)
    fired = await _until_told(stage, AlertEventKind.FIRED)
    to_fire = time.monotonic() - began
    await stage.reset()
    resolved = await _until_told(stage, AlertEventKind.RESOLVED)
    expect(fired.fingerprint == resolved.fingerprint, "What resolved is another alert.")
    return Told(
        f"The first provider died, and {to_fire:.1f} s later a webhook said so: "
        f"“{fired.summary}” It came back, and the webhook said that too. Both were signed, "
        "and each was told once.",
        {"rule": fired.rule, "seconds_to_fire": round(to_fire, 1), "signature_verified": True},
    )


async def _quiet(stage: Stage) -> None:
    """What other scenes left open has resolved, and was told, before this one begins."""
    catalogue = AlertCatalogue(stage.database, SystemClock())

    async def is_quiet() -> bool:
        return not any(_is_ours(alert) for alert in await catalogue.active())

    expect(await until(is_quiet), "An alert of another scene does not resolve.")
    await asyncio.sleep(_GROUP_SECONDS)
    while not stage.told.heard.empty():
        stage.told.heard.get_nowait()


def _is_ours(alert: Alert | ToldAlert) -> bool:
    return alert.rule == _RULE and alert.labels.get("provider") == _MODEL


async def _until_told(stage: Stage, kind: AlertEventKind) -> ToldAlert:
    """The alert of the next message that says this of our breaker."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            received = await stage.told.heard.get()
            expect(received.is_signed(stage.alert_secret), "The signature is another's.")
            message = msgspec.json.decode(received.body, type=AlertMessage)
            for alert in message.alerts:
                if _is_ours(alert) and alert.status is kind:
                    return alert


async def _die(stage: Stage) -> None:
    stage.primary.script(Behaviour(kind=Kind.SERVER_ERROR, status=503))
    for number in range(_CALLS):
        heard = await stage.visitor.post(f"Does anybody notice, {number}?")
        expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
        if (await stage.fleet.breaker(_MODEL)).state is not BreakerState.CLOSED:
            return
    raise SceneFailed(f"{_CALLS} failed calls did not open the breaker.")
