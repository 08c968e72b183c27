"""Breakers, fallbacks, and whether these were rehearsed."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from deploy.cli.check.production.ground import Ground, in_words

_REHEARSED: Final = "rehearse"
_COMMAND: Final = "forebay rehearse"
_OFTEN: Final = timedelta(days=90)


class _CameOfIt(msgspec.Struct):
    messages: int
    in_time: int


async def check_breakers(ground: Ground) -> CheckFinding:
    """What Redis keeps of the models of the chain, now."""
    from shared.breakers.fleet import read_breakers
    from shared.breakers.reading import BreakerState

    settings = ground.settings
    kept = {name: each async for name, each in read_breakers(ground.redis, settings.breakers)}
    away = sorted(name for name, each in kept.items() if each.state is BreakerState.OPEN)
    if away:
        return fault("breakers", f"Open now: {', '.join(away)}. See: forebay providers")
    if not kept:
        return hint("breakers", "No breaker has counted a call yet: send messages first.")
    return fine("breakers", f"Redis keeps {len(kept)}, shared by all workers, and none is open.")


async def check_fallbacks(ground: Ground) -> CheckFinding:
    """Who answers where the first model is away."""
    models = [each.name for each in ground.settings.providers if each.kind.is_model]
    others = [each.name for each in ground.settings.providers if not each.kind.is_model]
    if len(models) > 1:
        return fine("fallbacks", f"Behind {models[0]} are {', '.join([*models[1:], *others])}.")
    if not models:
        return fault("fallbacks", "No provider is a model. Add one under [[providers]].")
    if others:
        return hint(
            "fallbacks",
            f"{models[0]} is the only model: while it is away {', '.join(others)} answer. Add "
            "another under [[providers]].",
        )
    return fault("fallbacks", f"{models[0]} is all there is: nobody answers while it is away.")


async def check_rehearsed(ground: Ground) -> CheckFinding:
    """What came of the last rehearsal, by the audit log."""
    from shared.audit.audit_log import AuditLog

    log = AuditLog(ground.database, ground.clock)
    for entry in await log.page(20, act=_REHEARSED):
        try:
            came = msgspec.json.decode(entry.detail, type=_CameOfIt)
        except msgspec.ValidationError:
            continue  # where it began, or failed
        when = in_words(ground.ago(entry.at))
        if not came.messages:
            return fault(
                "rehearsed",
                f"No message ended while {entry.target} was rehearsed {when} ago, so nothing was "
                f"shown. While messages come: {_COMMAND} {entry.target}",
            )
        told = f"{entry.target} was rehearsed {when} ago: {came.in_time} of {came.messages}"
        if came.in_time < came.messages:
            return fault("rehearsed", f"{told} messages were answered in time. Mend it, and again.")
        if ground.ago(entry.at) > _OFTEN:
            return hint("rehearsed", f"{told} were answered in time. Do it again.")
        return fine("rehearsed", f"{told} messages were answered in time.")
    return fault(
        "rehearsed",
        f"Fallbacks were never rehearsed. While messages come: {_COMMAND} primary-down",
    )
