"""One worker process of a fleet: asks a chain without a pause and says what came of it.

python -m tests.integration.resilience.asking_process REDIS PROVIDER RULES PROBES
Ends when its input does; prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta

from shared.breakers.board import BreakerBoard
from shared.breakers.fleet import BreakerFleet
from shared.clock import SystemClock
from shared.messages.item import MessageItem, Role
from shared.redis.client import open_redis
from shared.resilience.periodic import repeat, running
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.settings.servers import RedisSettings
from shared.telemetry.metrics import Metrics
from tests.integration.patience import patient_circuits, patient_settings
from workers.providers.building import build_chain
from workers.providers.chain import Chain
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections

ASKERS = 8
PROMPT = Prompt(items=(MessageItem(Role.USER, "How are you?"),))


def breaker_settings(probes: int, *, open_seconds: float = 0.6) -> BreakerSettings:
    """The product's, ten times as fast and more; a probe that is late stays one."""
    return BreakerSettings(
        window_seconds=3,
        open_seconds=open_seconds,
        refresh_seconds=0.05,
        probes=probes,
        probe_lease_seconds=60,
    )


async def open_chain(
    stack: AsyncExitStack,
    redis_settings: RedisSettings,
    provider_url: str,
    rules: str,
    settings: BreakerSettings,
) -> Chain:
    """A chain of one model and rules, its breakers shared through that Redis."""
    clock, redis = SystemClock(), open_redis(redis_settings)
    stack.push_async_callback(redis.aclose)
    fleet = BreakerFleet(redis, settings, clock)
    stack.push_async_callback(fleet.close)
    board = BreakerBoard(fleet, settings, metrics=Metrics(), clock=clock)
    stack.push_async_callback(board.close)
    refreshing = repeat("breakers", board.refresh, every_seconds=settings.refresh_seconds)
    await stack.enter_async_context(running(refreshing))
    connections = await stack.enter_async_context(ProviderConnections())
    model = ProviderSettings(
        name="primary", kind=ProviderKind.OPENAI_COMPATIBLE, base_url=provider_url, model="small"
    )
    spare = ProviderSettings(name="rules", kind=ProviderKind.RULES, rules_file=rules)
    return build_chain([model, spare], connections, clock=clock, breakers=board)


async def main(redis_url: str, provider_url: str, rules: str, probes: int) -> None:
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    seen: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        redis, settings = patient_settings(redis_url), breaker_settings(probes)
        chain = await open_chain(stack, redis, provider_url, rules, settings)

        async def ask() -> None:
            while not ended.done():
                deadline = SystemClock().now() + timedelta(seconds=30)
                result = await chain.answer(PROMPT, deadline=deadline)
                seen[result.provider] += 1
                if result.skipped:
                    seen["at_once"] += len(result.attempts) == 1
                # Rules answer at once: more would be spent on them than on what is looked at.
                await asyncio.sleep(0.02)

        await asyncio.gather(*(ask() for _ in range(ASKERS)))
    print(json.dumps(seen))


if __name__ == "__main__":
    redis_url, provider_url, rules, probes = sys.argv[1:]
    with patient_circuits():
        asyncio.run(main(redis_url, provider_url, rules, int(probes)))
