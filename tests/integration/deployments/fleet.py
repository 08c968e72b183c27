"""A fleet whose workers ask three deployments of one model."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from random import Random
from struct import pack, unpack_from
from typing import Any

from msgspec.structs import replace
from redis.asyncio import Redis

from deploy.scripted_provider.provider import ScriptedProvider
from shared.breakers.board import BreakerBoard
from shared.breakers.fleet import BreakerFleet
from shared.clock import SystemClock
from shared.messages.item import MessageItem, Role
from shared.redis.client import open_redis
from shared.settings.deployment import DeploymentSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from shared.settings.turn.chaos import ChaosSettings, InjectionSettings
from shared.settings.turn.hedging import HedgingSettings
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import Tracing
from workers.providers.attempt import ChainResult
from workers.providers.building import build_chain
from workers.providers.chain import Chain
from workers.providers.chaos.chaos import Chaos
from workers.providers.deployments.loads import DeploymentLoads, loads_key
from workers.providers.deployments.standing import DeploymentStanding, read_standing
from workers.providers.provider import Prompt
from workers.providers.walking.lateness import Hedging
from workers.providers.wire.http.connections import ProviderConnections

NAMES = ("north", "south", "west")
PROMPT = Prompt(items=(MessageItem(Role.USER, "Why?"),), max_output_tokens=100)


class AskingWorker:
    """One process's chain over the deployments, with all that a worker has around it."""

    def __init__(self, chain: Chain, loads: DeploymentLoads, breakers: BreakerBoard) -> None:
        self.chain = chain
        self.loads = loads
        self.breakers = breakers
        self.metrics = Metrics()

    async def ask(self, prompt: Prompt = PROMPT, *, seconds: float = 60) -> ChainResult:
        return await self.chain.answer(
            prompt, deadline=SystemClock().now() + timedelta(seconds=seconds)
        )

    async def asked(self, prompt: Prompt = PROMPT, *, seconds: float = 60) -> str | None:
        """Which deployment answered."""
        return (await self.ask(prompt, seconds=seconds)).attempts[-1].deployment


class Fleet:
    """Its servers, by the names of the deployments, and what Redis keeps of them."""

    def __init__(
        self,
        settings: RedisSettings,
        redis: Redis,
        connections: ProviderConnections,
        servers: dict[str, ScriptedProvider],
        stack: AsyncExitStack,
    ) -> None:
        self._settings = settings
        self._connections = connections
        self._stack = stack
        self._seed = 0
        self.redis = redis
        self.servers = servers

    def worker(
        self,
        *,
        deployments: dict[str, dict[str, Any]] | None = None,
        hedged: bool = False,
        lease_seconds: float = 30.0,
        redis_url: str | None = None,
        spare: bool = False,
        injections: tuple[InjectionSettings, ...] = (),
        tracing: Tracing | None = None,
        **provider: Any,
    ) -> AskingWorker:
        """`deployments` are further settings of each; `spare` has the model of another provider
        behind.

        Each chooses among equals by a seed of its own: the same in every run.
        """
        clock, metrics, rules = SystemClock(), Metrics(), BreakerSettings()
        redis = self.client(redis_url)
        breaking = BreakerFleet(redis, rules, clock)
        self._stack.push_async_callback(breaking.close)
        board = BreakerBoard(breaking, rules, metrics=metrics, clock=clock)
        self._seed += 1
        loads = DeploymentLoads(
            redis, clock, metrics, lease_seconds=lease_seconds, random=Random(self._seed)
        )
        self._stack.push_async_callback(loads.close)
        hedging = HedgingSettings(
            enabled=True, minimum_samples=1, shortest_seconds=0.05, largest_share=1.0
        )
        chain = build_chain(
            [self.provider(deployments or {}, **provider), *([self._spare()] if spare else [])],
            self._connections,
            clock=clock,
            tracing=tracing,
            breakers=board,
            loads=loads,
            chaos=Chaos(ChaosSettings(injections=injections), metrics) if injections else None,
            hedging=Hedging(hedging, metrics) if hedged else None,
        )
        worker = AskingWorker(chain, loads, board)
        worker.metrics = metrics
        return worker

    def client(self, url: str | None) -> Redis:
        """Of that Redis; of the fleet's where None is given."""
        settings = self._settings
        if url is not None:
            settings = replace(settings, url=ServerUrl(url))
        redis = open_redis(settings)
        self._stack.push_async_callback(redis.aclose)
        return redis

    def provider(self, deployments: dict[str, dict[str, Any]], **provider: Any) -> ProviderSettings:
        listed = [
            DeploymentSettings(
                **{"name": name, "base_url": server.openai_url} | deployments.get(name, {})
            )
            for name, server in self.servers.items()
        ]
        named = {"name": "primary", "model": "large", "first_token_timeout_seconds": 60.0}
        return ProviderSettings(
            kind=ProviderKind.OPENAI_COMPATIBLE, deployments=tuple(listed), **named | provider
        )

    def _spare(self) -> ProviderSettings:
        return ProviderSettings(
            name="spare",
            kind=ProviderKind.OPENAI_COMPATIBLE,
            base_url=self.servers["north"].openai_url,
            model="spare",
        )

    def calls(self) -> dict[str, int]:
        """How many each server was asked."""
        return {name: server.calls.count for name, server in self.servers.items()}

    async def standing(self) -> dict[str, DeploymentStanding]:
        return await read_standing(self.redis, "primary", "large")

    async def counted(self) -> dict[str, tuple[float, float]]:
        """Tokens and calls of each as the script has them, which chooses by these."""
        fields = await self.redis.hgetall(loads_key("primary", "large"))
        states = {field[1:].decode(): each for field, each in fields.items() if field[:1] == b"d"}
        return {name: unpack_from("<2d", value) for name, value in states.items()}

    async def let_its_rest_end(self, name: str) -> None:
        """As if the time had passed for which it, or its key, is left alone. Nothing is asked."""
        await self.nothing_counted()
        key, field = loads_key("primary", "large"), f"d{name}"
        value = await self.redis.hget(key, field)
        *counts, _cooled_until, _rests_until, refusals = unpack_from("<7d", value)
        state = pack("<7d", *counts, 1.0, 1.0, refusals)
        await self.redis.hset(key, field, state + value[len(state) :])

    async def nothing_counted(self) -> None:
        """Waits until all that was said has been heard, and holds the counts to zero."""
        async with asyncio.timeout(60):
            while any(calls for _, calls in (await self.counted()).values()):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.01)
        assert set((await self.counted()).values()) == {(0.0, 0.0)}
        assert not [each for each in (await self.standing()).values() if each.calls or each.tokens]


def talk(conversation: str, **changes: Any) -> Prompt:
    """A prompt of that conversation."""
    return replace(PROMPT, conversation=conversation, **changes)
