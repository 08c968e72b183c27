"""One worker: asks by a policy, whenever the next message comes, and says what became of it.

python -m tests.benchmarks.deployments.asking POLICY REDIS SECONDS CALLS-A-SECOND SEED NAME=URL…
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import count
from random import Random
from typing import Final

import uvloop

from shared.clock import SystemClock
from shared.messages.item import MessageItem, Role
from shared.redis.client import open_redis
from shared.settings.deployment import DeploymentSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from shared.telemetry.metrics import Metrics
from workers.providers.building import build_chain
from workers.providers.deployments.loads import (
    CallWish,
    DeploymentGroup,
    DeploymentLoads,
    LoadLease,
    LoadWait,
)
from workers.providers.provider import Prompt
from workers.providers.wire.http.connections import ProviderConnections

SHORT, LONG, SHARE_OF_LONG = 100, 900, 0.1
MEAN_TOKENS: Final = 0.75 * (SHORT * (1 - SHARE_OF_LONG) + LONG * SHARE_OF_LONG)


class BlindLoads(DeploymentLoads):
    """Chooses in turn, or at random, whatever anybody has to do."""

    def __init__(self, *parts: object, random: Random, in_turn: bool) -> None:
        super().__init__(*parts)  # type: ignore[arg-type]
        self._dice = random
        self._turns = count(random.randrange(3)) if in_turn else None

    async def take(self, group: DeploymentGroup, wish: CallWish) -> LoadLease | LoadWait:
        places = len(group.shares)
        turn = self._dice.randrange(places) if self._turns is None else next(self._turns) % places
        return LoadLease(group=group, permit=0, place=turn + 1, tokens=wish.tokens)


async def main(
    policy: str, redis_url: str, seconds: float, rate: float, seed: int, urls: dict[str, str]
) -> None:
    clock, random = SystemClock(), Random(seed)
    took: list[float] = []
    tokens: Counter[str] = Counter()
    homes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    async with AsyncExitStack() as stack:
        redis = open_redis(RedisSettings(url=ServerUrl(redis_url)))
        stack.push_async_callback(redis.aclose)
        connections = await stack.enter_async_context(ProviderConnections())
        loads = DeploymentLoads(redis, clock, Metrics())
        if policy in ("in_turn", "random"):
            in_turn = policy == "in_turn"
            loads = BlindLoads(redis, clock, Metrics(), random=Random(seed), in_turn=in_turn)
        deployments = tuple(
            DeploymentSettings(name=name, base_url=url) for name, url in urls.items()
        )
        kind = ProviderKind.OPENAI_COMPATIBLE
        provider = ProviderSettings(name="p", kind=kind, model="m", deployments=deployments)
        chain = build_chain([provider], connections, clock=clock, loads=loads)

        async def ask(conversation: str) -> None:
            most = LONG if random.random() < SHARE_OF_LONG else SHORT
            items = (MessageItem(Role.USER, "Where is my parcel?"),)
            talk = conversation if policy == "affine" else None
            prompt = Prompt(items=items, max_output_tokens=most, conversation=talk)
            began = time.monotonic()
            deadline = clock.now() + timedelta(seconds=120)
            result = await chain.answer(prompt, deadline=deadline)
            took.append(time.monotonic() - began)
            usage, place = result.attempts[-1].usage, result.attempts[-1].deployment or ""
            tokens[place] += usage.output_tokens if usage else 0
            homes[conversation][place] += 1

        until = time.monotonic() + seconds
        async with asyncio.TaskGroup() as asking:
            while time.monotonic() < until:
                asking.create_task(ask(f"conv_{random.randrange(40)}"))
                await asyncio.sleep(random.expovariate(rate))
    print(json.dumps({"seconds": took, "tokens": tokens, "homes": homes}))


if __name__ == "__main__":
    policy, redis_url, seconds, rate, seed, *urls = sys.argv[1:]
    named = dict(each.split("=", 1) for each in urls)
    uvloop.run(main(policy, redis_url, float(seconds), float(rate), int(seed), named))
