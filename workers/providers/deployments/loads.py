"""What the deployments of a model have under way in the whole fleet, kept in Redis."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from random import Random
from typing import Final

import msgspec
from redis.asyncio import Redis

from shared.clock import Clock
from shared.redis.scripts import load_script
from shared.telemetry.metrics import Metrics
from workers.providers.deployments.own_loads import OwnLoads
from workers.providers.limiting.outbound_limits import GroupedScript, bounded

_TAKE: Final = 0
_END: Final = 1
_RENEW: Final = 2
"""What the script is asked or told, by its own numbers."""
_PROBE: Final = 64
_REFUSED_KEYS: Final = 10**12
_NO_PROBE: Final = 2**31
_LEASE_SECONDS: Final = 30.0
_RENEWALS_PER_LEASE: Final = 3
_LONGEST_REST_SECONDS: Final = 3600.0
"""A provider that asks for more is asked again all the same."""


class KeyVerdict(IntEnum):
    """What a call says of its deployment's key, by the script's own numbers."""

    NOTHING = 0
    ANSWERED = 1
    REFUSED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentShare:
    """One deployment as the script takes it; 0 is no limit."""

    name: str
    weight: float
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    max_concurrency: int = 0
    key_mark: str = ""
    """Another one where its key is another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentGroup:
    """The deployments of one model of one provider."""

    provider: str
    model: str
    shares: tuple[DeploymentShare, ...]
    key: str = field(init=False)
    """Where Redis keeps what they have to do."""
    arguments: tuple[bytes] = field(init=False)
    """As the script takes them."""

    def __post_init__(self) -> None:
        told = [(each.name, each.weight, *_bounds(each), each.key_mark) for each in self.shares]
        object.__setattr__(self, "key", loads_key(self.provider, self.model))
        object.__setattr__(self, "arguments", (msgspec.msgpack.encode(told),))


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWish:
    """A call that looks for a deployment; bits and places are counted from the first one."""

    tokens: int
    """What it gives a deployment to do: its prompt, and the most that may be written."""
    limited_tokens: int
    """What it weighs under a limit of tokens a minute."""
    left_out: int = 0
    """A bit for each that must not be asked."""
    wanted: tuple[int, ...] = ()
    """Places that are preferred, from 1 on."""
    probes: bool = True
    """Whether it may find out if a refused key is good again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadLease:
    """A call is counted at its deployment; whoever has it gives it back."""

    group: DeploymentGroup
    permit: int
    place: int
    tokens: int
    is_probe: bool = False

    @property
    def share(self) -> DeploymentShare:
        """The deployment."""
        return self.group.shares[self.place - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadWait:
    """No deployment is free before; `is_refused` where the keys of all have been refused."""

    seconds: float
    is_refused: bool


class DeploymentLoads:
    """One script chooses and counts, so that no two workers think the same one idle.

    A call is leased for `lease_seconds` and renewed while it runs: nothing that is lost, killed, or
    ends while Redis is away stays counted. Without Redis each worker goes by its own calls alone.
    """

    def __init__(
        self,
        redis: Redis,
        clock: Clock,
        metrics: Metrics,
        *,
        lease_seconds: float = _LEASE_SECONDS,
        random: Random | None = None,
    ) -> None:
        script = load_script("workers.providers.deployments", "deployments.lua")
        self._script = GroupedScript(redis, clock, script, unheard=0)
        self.renewal_seconds = lease_seconds / _RENEWALS_PER_LEASE
        self._lease_ms = lease_seconds * 1000
        self._random = random or Random()
        self._own = OwnLoads(clock)
        self._metrics = metrics
        self._open: dict[int, LoadLease] = {}

    async def take(self, group: DeploymentGroup, wish: CallWish) -> LoadLease | LoadWait:
        """A place for the call, or for how long to wait before asking again."""
        permit, dice = self._script.new_permit(), self._random.random()
        wanted = sum(place << 6 * at for at, place in enumerate(wish.wanted))
        left_out = wish.left_out + (0 if wish.probes else _NO_PROBE)
        lease_ms = self._lease_ms
        tokens, limited = wish.tokens, wish.limited_tokens
        words = (_TAKE, permit, tokens, limited, lease_ms, left_out, wanted, dice)
        try:
            answer = await self._script.ask(group, words)
        except BaseException:
            # It may have been granted all the same.
            self._script.tell(group, (_END, permit, 0, 0, 0, 0, 0, 0))
            raise
        if answer < 0:
            is_refused = answer <= -_REFUSED_KEYS
            wait_ms = -answer - (_REFUSED_KEYS if is_refused else 0)
            return LoadWait(seconds=wait_ms / 1000, is_refused=is_refused)
        place, is_probe = answer % _PROBE, answer >= _PROBE
        if not place:
            # What Redis may have counted all the same ends by itself: it is not renewed.
            permit = self._script.new_permit()
            place = self._own.choose(group.key, group.shares, wish.left_out, dice)
        lease = LoadLease(group=group, permit=permit, place=place, tokens=tokens, is_probe=is_probe)
        self._open[permit] = lease
        self._own.add(group.key, place, tokens)
        self._in_flight(lease, tokens)
        return lease

    def give_back(
        self,
        lease: LoadLease,
        *,
        token_correction: int = 0,
        verdict: KeyVerdict = KeyVerdict.NOTHING,
        cool_seconds: float = 0.0,
    ) -> None:
        """The call has ended; not waited for. Said again it changes nothing."""
        if self._open.pop(lease.permit, None) is None:
            return
        group, place = lease.group, lease.place
        cool_seconds = min(cool_seconds, _LONGEST_REST_SECONDS)
        self._own.add(group.key, place, -lease.tokens)
        self._own.note(group.key, place, verdict is KeyVerdict.REFUSED, cool_seconds)
        self._in_flight(lease, -lease.tokens)
        correction, told = bounded(token_correction), place + (_PROBE if lease.is_probe else 0)
        cool_ms = cool_seconds * 1000
        self._script.tell(group, (_END, lease.permit, correction, verdict, cool_ms, told, 0, 0))

    def refuse(self, group: DeploymentGroup, place: int) -> None:
        """Its key was refused, as has shown after the call had ended."""
        self._own.note(group.key, place, True, 0.0)
        self._script.tell(group, (_END, 0, 0, KeyVerdict.REFUSED, 0, place, 0, 0))

    async def renew(self) -> None:
        """Keep the calls counted that run; to be done every `renewal_seconds`."""
        for each in tuple(self._open.values()):
            words = (_RENEW, each.permit, each.tokens, self._lease_ms, each.place, 0, 0, 0)
            self._script.tell(each.group, words)

    async def close(self) -> None:
        """Tell what has not been told yet."""
        await self._script.close()

    def _in_flight(self, lease: LoadLease, tokens: int) -> None:
        gauge = self._metrics.deployment_tokens_in_flight
        gauge.labels(lease.group.provider, lease.share.name).inc(tokens)


def loads_key(provider: str, model: str) -> str:
    """Where Redis keeps what the deployments of a provider's model have to do."""
    return f"forebay:deployments:{{{provider}/{model}}}"


def _bounds(share: DeploymentShare) -> tuple[int, int, int]:
    return share.requests_per_minute, share.tokens_per_minute, share.max_concurrency
