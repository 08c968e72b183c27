"""A worker process that has calls under way until it is killed.

python -m tests.integration.deployments.asking_process REDIS LEASE-SECONDS CALLS NAME=URL…
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

from shared.clock import SystemClock
from shared.messages.item import MessageItem, Role
from shared.redis.client import open_redis
from shared.resilience.periodic import repeat, running
from shared.settings.deployment import DeploymentSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.telemetry.metrics import Metrics
from tests.integration.patience import patient_settings
from workers.providers.building import build_chain
from workers.providers.deployments.loads import DeploymentLoads
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections

PROMPT = Prompt(items=(MessageItem(Role.USER, "hang"),), max_output_tokens=100)


async def main(redis_url: str, lease_seconds: float, calls: int, urls: dict[str, str]) -> None:
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        redis = open_redis(patient_settings(redis_url))
        stack.push_async_callback(redis.aclose)
        connections = await stack.enter_async_context(ProviderConnections())
        loads = DeploymentLoads(redis, clock, Metrics(), lease_seconds=lease_seconds)
        renewing = repeat("deployments", loads.renew, every_seconds=loads.renewal_seconds)
        await stack.enter_async_context(running(renewing))
        provider = ProviderSettings(
            name="primary",
            kind=ProviderKind.OPENAI_COMPATIBLE,
            model="large",
            deployments=tuple(
                DeploymentSettings(name=name, base_url=url) for name, url in urls.items()
            ),
        )
        chain = build_chain([provider], connections, clock=clock, loads=loads)
        deadline = clock.now() + timedelta(seconds=60)
        await asyncio.gather(*(chain.answer(PROMPT, deadline=deadline) for _ in range(calls)))


if __name__ == "__main__":
    redis_url, lease_seconds, calls, *urls = sys.argv[1:]
    named = dict(url.split("=", 1) for url in urls)
    asyncio.run(main(redis_url, float(lease_seconds), int(calls), named))
