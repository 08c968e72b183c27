"""The breaker in front of one model of one provider, as a caller meets it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Final

from pybreaker import CircuitBreakerError

from shared.breakers.circuit import BreakerCircuit
from shared.breakers.reading import BreakerKeeper, BreakerReading, BreakerState, CallOutcome
from shared.clock import Clock
from shared.identifiers import new_id

_REFRESHES_MISSED: Final = 4
_LONGEST_REPORT: Final = 4096


class Permit:
    """Leave to call once. Whoever was given one says how the call ended, whatever came of it."""

    __slots__ = ("_breaker", "_probe")

    def __init__(self, breaker: Breaker, probe: str | None = None) -> None:
        self._breaker = breaker
        self._probe = probe

    @property
    def is_probe(self) -> bool:
        """Whether this call finds out if the provider is back."""
        return self._probe is not None

    async def end(self, outcome: CallOutcome) -> None:
        """Count the call. After a failure the breaker is known to be open or closed.

        A success or a neutral end is not waited for.
        """
        if self._probe is None:
            await self._breaker.count(outcome)
        else:
            await self._breaker.end_probe(self._probe, outcome)


class Breaker:
    """Lets calls through while closed, none while open, leased probes while half-open.

    Its local copy is at most `refresh_seconds` old, so a closed breaker costs no round trip: what
    came of the calls is told in groups, a failure at once. Calls are never held up by each other.
    """

    def __init__(
        self,
        circuit: BreakerCircuit,
        keeper: BreakerKeeper,
        clock: Clock,
        *,
        refresh_seconds: float,
    ) -> None:
        self.circuit = circuit
        self.name = circuit.name or ""
        self._keeper = keeper
        self._clock = clock
        self._trusted_seconds = _REFRESHES_MISSED * refresh_seconds
        self._reading = BreakerReading(state=BreakerState.CLOSED)
        self._is_closed = False
        self._read_at = -float("inf")
        self._outcomes: list[str] = []
        self._probes: set[str] = set()
        self._permit = Permit(self)
        self._telling: set[asyncio.Task[None]] = set()

    async def admit(self) -> Permit:
        """Leave to call; raises pybreaker.CircuitBreakerError when the provider is left alone."""
        if self._clock.monotonic() - self._read_at > self._trusted_seconds:
            await self.refresh()
        return self._permit if self._is_closed else await self._admit_probe()

    @property
    def reading(self) -> BreakerReading:
        """How it stood when it was last heard of."""
        return self._reading

    @property
    def is_closed(self) -> bool:
        """Whether everybody may call, as far as has been heard."""
        return self._reading.state is BreakerState.CLOSED

    @property
    def refuses(self) -> bool:
        """Whether asking for a permit is known to be useless right now."""
        match self._reading.state:
            case BreakerState.CLOSED:
                return False
            case BreakerState.OPEN:
                waited = self._clock.monotonic() - self._read_at
                return waited < self._reading.seconds_left
            case BreakerState.HALF_OPEN:
                return self._reading.free_probes == 0

    async def refresh(self) -> None:
        """Tell what came of the calls since the last time, and hear how the breaker stands."""
        outcomes, self._outcomes = "".join(self._outcomes), []
        held = tuple(self._probes)
        self._follow(await self._keeper.report(self.name, outcomes=outcomes, held=held))

    async def count(self, outcome: CallOutcome) -> None:
        """How a call through the closed breaker ended."""
        if outcome is CallOutcome.SUCCESS:
            self._outcomes.append("s")
            if len(self._outcomes) >= _LONGEST_REPORT:
                await self.refresh()
        elif outcome is CallOutcome.FAILURE:
            self._outcomes.append("f")
            await self.refresh()

    async def end_probe(self, permit: str, outcome: CallOutcome) -> None:
        """Give a probe's place back."""
        self._probes.discard(permit)
        giving_back = self._give_back(permit, outcome)
        if outcome is CallOutcome.FAILURE:
            await giving_back
        else:
            self._soon(giving_back)

    async def close(self) -> None:
        """Tell what has not been told yet; probes under way are given back."""
        for permit in tuple(self._probes):
            await self.end_probe(permit, CallOutcome.NEUTRAL)
        if self._outcomes:
            await self.refresh()
        while self._telling:
            await asyncio.gather(*self._telling, return_exceptions=True)

    async def _admit_probe(self) -> Permit:
        if self.refuses:
            raise CircuitBreakerError(f"The breaker of {self.name} is {self._reading.state}.")
        permit = new_id("probe")
        try:
            reading = await self._keeper.begin_probe(self.name, permit)
        except asyncio.CancelledError:
            # It may have been granted all the same.
            self._soon(self._give_back(permit, CallOutcome.NEUTRAL))
            raise
        self._follow(reading)
        if reading.granted:
            self._probes.add(permit)
            return Permit(self, permit)
        if self._is_closed:
            return self._permit
        raise CircuitBreakerError(f"The breaker of {self.name} is {reading.state}.")

    async def _give_back(self, permit: str, outcome: CallOutcome) -> None:
        self._follow(await self._keeper.end_probe(self.name, permit, outcome))

    def _follow(self, reading: BreakerReading) -> None:
        self._reading = reading
        self._read_at = self._clock.monotonic()
        self._is_closed = reading.state is BreakerState.CLOSED
        self.circuit.follow(reading)

    def _soon(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
