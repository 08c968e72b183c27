"""Does the broker let us in, and may we declare our queues there?"""

from __future__ import annotations

import asyncio

from deploy.cli.check.finding import CheckFinding, fault, fine
from shared.errors import ForebayError
from shared.settings.servers import BrokerSettings


async def check_broker(broker: BrokerSettings) -> list[CheckFinding]:
    """Declares what is missing; declaring again changes nothing."""
    from shared.queueing.declaration import declare_topology

    try:
        await asyncio.to_thread(declare_topology, broker)
        found = [
            fine("broker", f"The broker at {broker.url.redacted} answers and has our queues."),
        ]
        if not broker.is_redis:
            from deploy.cli.check.dead_queue import check_dead_queue

            found.append(await asyncio.to_thread(check_dead_queue, broker))
    except ForebayError as error:
        return [fault("broker", error.message)]
    return found
