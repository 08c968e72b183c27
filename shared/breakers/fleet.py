"""Breakers kept in Redis for the whole fleet; kept by each process for itself without it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from redis.asyncio import Redis

from shared.breakers.reading import BreakerReading, BreakerState, CallOutcome
from shared.breakers.rules import LocalBreakers
from shared.clock import Clock
from shared.errors import RedisUnavailable, Unavailable
from shared.redis.connection import asking_redis
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import Argument, LuaScript, ScriptCall, load_script
from shared.resilience.group_commit import GroupCommit
from shared.settings.providers import ProviderSettings
from shared.settings.resilience import BreakerSettings

_PREFIX: Final = "forebay:breaker:"


@dataclass(frozen=True, slots=True)
class _Question:
    """One question to one breaker."""

    name: str
    verb: str
    words: tuple[str, ...]


class BreakerFleet:
    """Asks all breakers of a process in groups; never raises and never waits long.

    Without Redis each question is answered by this process's own breakers, which go on from where
    the fleet's stood. Once Redis answers again, its word counts.
    """

    def __init__(self, redis: Redis, settings: BreakerSettings, clock: Clock) -> None:
        self._redis = GuardedRedis(redis, clock)
        self._clock = clock
        self._rules = _rules(settings)
        self._script: LuaScript = load_script("shared.breakers", "breaker.lua")
        self._local = LocalBreakers(settings, clock)
        self._heard: dict[str, tuple[BreakerReading, float]] = {}
        self._questions: GroupCommit[_Question, BreakerReading] = GroupCommit(self._ask_all)

    async def report(
        self, name: str, *, outcomes: str = "", held: tuple[str, ...] = ()
    ) -> BreakerReading:
        return await self._ask(_Question(name, "report", (outcomes, *held)))

    async def begin_probe(self, name: str, permit: str) -> BreakerReading:
        return await self._ask(_Question(name, "begin", (permit,)))

    async def end_probe(self, name: str, permit: str, outcome: CallOutcome) -> BreakerReading:
        return await self._ask(_Question(name, "end", (permit, outcome)))

    async def close(self) -> None:
        """Send what waits, then refuse what comes after."""
        await self._questions.close()
        await self._redis.close()

    async def _ask(self, question: _Question) -> BreakerReading:
        try:
            return await self._questions.submit(question)
        except Unavailable:
            return self._ask_locally(question)

    async def _ask_all(self, questions: list[_Question]) -> Sequence[BreakerReading]:
        calls = [self._call(question) for question in questions]
        answers = await self._redis.run(self._script, calls)
        if answers is None:
            self._go_local()
            return [self._ask_locally(question) for question in questions]
        return [
            self._ask_locally(question)
            if isinstance(answer, RedisUnavailable)
            else self._hear(question, answer)
            for question, answer in zip(questions, answers, strict=True)
        ]

    def _call(self, question: _Question) -> ScriptCall:
        key = breaker_key(question.name)
        return ScriptCall((key,), (*self._rules, question.verb, *question.words))

    def _hear(self, question: _Question, answer: list[bytes | int]) -> BreakerReading:
        reading = _reading(answer)
        self._heard[question.name] = (reading, self._clock.monotonic())
        return reading

    def _go_local(self) -> None:
        now = self._clock.monotonic()
        for name, (reading, heard_at) in self._heard.items():
            seconds_left = max(0.0, reading.seconds_left - (now - heard_at))
            self._local.adopt(name, reading.state, seconds_left=seconds_left)
        self._heard.clear()

    def _ask_locally(self, question: _Question) -> BreakerReading:
        breaker = self._local.breaker(question.name)
        first, *others = question.words
        match question.verb:
            case "begin":
                return breaker.begin_probe(first)
            case "end":
                return breaker.end_probe(first, CallOutcome(others[0]))
            case _:
                return breaker.report(first, tuple(others))


async def read_breakers(
    redis: Redis, settings: BreakerSettings
) -> AsyncIterator[tuple[str, BreakerReading]]:
    """Every breaker that Redis keeps, by name; as dear as `kept_breakers`."""
    async for named in read_named_breakers(redis, settings, await kept_breakers(redis)):
        yield named


async def kept_breakers(redis: Redis) -> list[str]:
    """The names of all that Redis keeps, for who looks seldom: it walks over every key there is.

    Raises RedisUnavailable.
    """
    async with asking_redis():
        keys = [key async for key in redis.scan_iter(match=f"{_PREFIX}*", count=1000)]
    return [key.decode().removeprefix(_PREFIX)[1:-1] for key in keys]


def breaker_names(providers: Iterable[ProviderSettings]) -> list[str]:
    """Those of every model that the chain names, in its order, each deployment's by itself."""
    places = [place for each in providers if each.kind.is_model for place in each.each_deployment]
    return [f"{place.name}/{model}" for place in places for model in place.named_models]


async def read_named_breakers(
    redis: Redis, settings: BreakerSettings, names: Iterable[str]
) -> AsyncIterator[tuple[str, BreakerReading]]:
    """How each of these stands; one that Redis does not keep is closed. Raises RedisUnavailable."""
    script = load_script("shared.breakers", "breaker.lua")
    for name in names:
        call = ScriptCall((breaker_key(name),), (*_rules(settings), "report", ""))
        yield name, _reading(await script.call(redis, call))


async def open_breaker(
    redis: Redis, settings: BreakerSettings, name: str, *, seconds: float
) -> BreakerReading:
    """Have nobody call it for so long, whatever it has counted; then it is probed as ever.

    Raises RedisUnavailable.
    """
    held = msgspec.structs.replace(settings, open_seconds=seconds)
    call = ScriptCall((breaker_key(name),), (*_rules(held), "open"))
    return _reading(await load_script("shared.breakers", "breaker.lua").call(redis, call))


async def reset_breaker(redis: Redis, name: str) -> bool:
    """Close a breaker and forget its counts; False when Redis keeps none of that name.

    Raises RedisUnavailable.
    """
    async with asking_redis():
        return bool(await redis.delete(breaker_key(name)))


def breaker_key(name: str) -> str:
    """Where Redis keeps a breaker; `name` is the provider's name, a slash and the model's."""
    return f"{_PREFIX}{{{name}}}"


def _rules(settings: BreakerSettings) -> tuple[Argument, ...]:
    return (
        int(settings.window_seconds * 1000),
        settings.failure_share,
        settings.minimum_calls,
        settings.failures_in_a_row,
        max(1, int(settings.open_seconds * 1000)),
        settings.probes,
        int(settings.probe_lease_seconds * 1000),
        settings.successes_to_close,
    )


def _reading(answer: list[bytes | int]) -> BreakerReading:
    state, left, free, granted, changed, calls, failures = answer
    return BreakerReading(
        state=BreakerState(state.decode() if isinstance(state, bytes) else str(state)),
        seconds_left=int(left) / 1000,
        free_probes=int(free),
        granted=granted == 1,
        changed=changed == 1,
        calls=int(calls),
        failures=int(failures),
    )
