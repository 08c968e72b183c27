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
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from shared.telemetry.metrics import Metrics
from workers.providers.building import build_chain, open_provider_session
from workers.providers.chain import Chain
from workers.providers.provider import Prompt

ASKERS = 8
PROMPT = Prompt(items=(MessageItem(Role.USER, "How are you?"),))


def breaker_settings(probes: int) -> BreakerSettings:
    """The product's, ten times as fast and more."""
    return BreakerSettings(
        window_seconds=3,
        open_seconds=0.6,
        refresh_seconds=0.05,
        probes=probes,
        probe_lease_seconds=2,
    )


async def open_chain(
    stack: AsyncExitStack, redis_url: str, provider_url: str, rules: str, *, probes: int
) -> Chain:
    """A chain of one model and rules, its breakers shared through that Redis."""
    clock, settings = SystemClock(), breaker_settings(probes)
    redis = open_redis(RedisSettings(url=ServerUrl(redis_url)))
    stack.push_async_callback(redis.aclose)
    fleet = BreakerFleet(redis, settings, clock)
    stack.push_async_callback(fleet.close)
    board = BreakerBoard(fleet, settings, metrics=Metrics(), clock=clock)
    stack.push_async_callback(board.close)
    refreshing = repeat("breakers", board.refresh, every_seconds=settings.refresh_seconds)
    await stack.enter_async_context(running(refreshing))
    session = await stack.enter_async_context(open_provider_session())
    model = ProviderSettings(
        name="primary", kind=ProviderKind.OPENAI_COMPATIBLE, base_url=provider_url, model="small"
    )
    spare = ProviderSettings(name="rules", kind=ProviderKind.RULES, rules_file=rules)
    return build_chain([model, spare], session, clock=clock, breakers=board)


async def main(redis_url: str, provider_url: str, rules: str, probes: int) -> None:
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    seen: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        chain = await open_chain(stack, redis_url, provider_url, rules, probes=probes)

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
    asyncio.run(main(redis_url, provider_url, rules, int(probes)))
