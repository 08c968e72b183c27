"""Whether somebody would see that something is wrong: state and traces."""

from __future__ import annotations

import os
from typing import Final

import aiohttp

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from deploy.cli.check.production.ground import Ground

_TIMEOUT_SECONDS: Final = 5.0
_HEADERS: Final = "OTEL_EXPORTER_OTLP_HEADERS"


async def check_workers(ground: Ground) -> CheckFinding:
    """How many workers live, and that no part of what they do is without one."""
    from shared.status.workers_alive import WorkersAlive

    watch = WorkersAlive(ground.database, ground.clock)
    if findings := await watch.findings():
        return fault("workers", " ".join(each.sentence for each in findings))
    alive = await watch.number()
    if alive == 1:
        return hint("workers", "One worker lives: while it restarts nobody answers. Start another.")
    return fine("workers", f"{alive} workers live, and every lane is read.")


async def check_traces(ground: Ground) -> CheckFinding:
    """Whether the collector takes what is sent: an export of no spans is."""
    endpoint = ground.settings.telemetry.traces_endpoint
    if endpoint is None:
        return fault("traces", "None are sent. Set telemetry.traces_endpoint.")
    pairs = (each.partition("=") for each in os.environ.get(_HEADERS, "").split(",") if each)
    headers = {name.strip(): value.strip() for name, _, value in pairs}
    headers["content-type"] = "application/x-protobuf"
    limit = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(endpoint, data=b"", headers=headers) as answer,
        ):
            if answer.status < 300:
                return fine("traces", f"{endpoint} takes them.")
            return fault("traces", f"{endpoint} answers {answer.status} to them.")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return fault(
            "traces", f"{endpoint} does not take them: {str(error) or type(error).__name__}."
        )
