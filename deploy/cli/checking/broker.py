"""Does the broker answer, and may we declare our queues there?"""

from __future__ import annotations

import asyncio

from deploy.cli.checking.finding import Finding, fault, fine
from shared.errors import BrokerUnavailable, ForebayError
from shared.settings.servers import BrokerSettings


async def check_broker(broker: BrokerSettings) -> list[Finding]:
    """Declares what is missing; declaring again changes nothing."""
    from shared.queueing.declaration import declare_topology

    address = broker.url.redacted
    try:
        await asyncio.to_thread(declare_topology, broker)
    except BrokerUnavailable:
        return [
            fault(
                "broker",
                f"The broker at {address} does not answer: start it, set FOREBAY_BROKER__URL, or "
                "start everything here with `forebay up`.",
            )
        ]
    except ForebayError as error:
        return [fault("broker", error.message)]
    return [fine("broker", f"The broker at {address} answers and has our queues.")]
