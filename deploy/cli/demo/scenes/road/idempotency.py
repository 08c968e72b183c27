"""The same message twice, under one idempotency key."""

from __future__ import annotations

import asyncio
import secrets

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.stage import Stage


async def idempotency(stage: Stage) -> Told:
    key = secrets.token_hex(8)
    first, second = await asyncio.gather(
        *(stage.visitor.post("Charge me once.", key=key) for _ in range(2))
    )
    expect(first.state == second.state == "completed", f"{first.state} and {second.state}")
    expect(first.body["id"] == second.body["id"], "Two messages were made of one.")
    calls = len(stage.primary.calls)
    expect(calls == 1, f"The provider was asked {calls} times.")
    other = await stage.visitor.post("Charge me twice.", key=key)
    expect(other.status == 422, f"Another body under that key was answered with {other.status}.")
    # Without the key the second one would have been asked and paid like the first.
    return Told(
        "Sent twice at once under one key: one message, one call of the provider, the same answer "
        "to both. Another body under that key: refused with 422.",
        {"id": first.body["id"], "provider_calls": calls, "other_body_status": other.status},
        saved=first.cost,
    )
