"""A breaker's rules in memory: for one process, while there is no Redis to share them through."""

from __future__ import annotations

from shared.breakers.reading import BreakerReading, BreakerState, CallOutcome
from shared.breakers.window import BreakerWindow
from shared.clock import Clock
from shared.settings.resilience import BreakerSettings


class BreakerRules:
    """One breaker. The same rules as `breaker.lua`, which is tested against this."""

    def __init__(self, settings: BreakerSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._window = BreakerWindow(seconds=settings.window_seconds)
        self._state = BreakerState.CLOSED
        self._half_open_at = 0.0
        self._leases: dict[str, float] = {}
        self._successes = 0
        self._changed = False

    def adopt(self, state: BreakerState, *, seconds_left: float) -> None:
        """Go on from where another keeper's breaker stood; its counts are not known."""
        self._become(state)
        self._half_open_at = self._clock.monotonic() + seconds_left
        self._changed = False

    def report(self, outcomes: str, held: tuple[str, ...]) -> BreakerReading:
        """Count outcomes while closed; those of calls that began before it opened say nothing."""
        self._move_on()
        for outcome in outcomes:
            if self._state is BreakerState.CLOSED:
                self._count(failed=outcome == "f")
        for permit in held:
            if permit in self._leases:
                self._lease(permit)
        return self._reading()

    def begin_probe(self, permit: str) -> BreakerReading:
        """Lease a place to `permit` if one is free."""
        self._move_on()
        granted = self._state is BreakerState.HALF_OPEN and self._free_probes > 0
        if granted:
            self._lease(permit)
        return self._reading(granted=granted)

    def end_probe(self, permit: str, outcome: CallOutcome) -> BreakerReading:
        """One failure opens again; enough successes close."""
        self._move_on()
        if self._leases.pop(permit, None) is not None:
            if outcome is CallOutcome.FAILURE:
                self._become(BreakerState.OPEN)
            elif outcome is CallOutcome.SUCCESS:
                self._successes += 1
                if self._successes >= self._settings.successes_to_close:
                    self._become(BreakerState.CLOSED)
        return self._reading()

    def _count(self, *, failed: bool) -> None:
        window, settings = self._window, self._settings
        window.add(failed=failed, now=self._clock.monotonic())
        enough = window.calls >= settings.minimum_calls
        if failed and (
            window.failures_in_a_row >= settings.failures_in_a_row
            or (enough and window.failures >= settings.failure_share * window.calls)
        ):
            self._become(BreakerState.OPEN)

    def _move_on(self) -> None:
        """What time alone changes."""
        now = self._clock.monotonic()
        self._window.forget_before(now)
        self._leases = {permit: ends for permit, ends in self._leases.items() if ends > now}
        if self._state is BreakerState.OPEN and now >= self._half_open_at:
            self._become(BreakerState.HALF_OPEN)

    def _become(self, state: BreakerState) -> None:
        self._state = state
        self._changed = True
        self._successes = 0
        self._leases.clear()
        if state is BreakerState.CLOSED:
            self._window.clear()
        if state is BreakerState.OPEN:
            self._half_open_at = self._clock.monotonic() + self._settings.open_seconds

    def _lease(self, permit: str) -> None:
        self._leases[permit] = self._clock.monotonic() + self._settings.probe_lease_seconds

    @property
    def _free_probes(self) -> int:
        return max(0, self._settings.probes - len(self._leases))

    def _reading(self, *, granted: bool = False) -> BreakerReading:
        is_open = self._state is BreakerState.OPEN
        changed, self._changed = self._changed, False
        return BreakerReading(
            state=self._state,
            seconds_left=self._half_open_at - self._clock.monotonic() if is_open else 0.0,
            free_probes=self._free_probes if self._state is BreakerState.HALF_OPEN else 0,
            granted=granted,
            changed=changed,
            calls=self._window.calls,
            failures=self._window.failures,
        )


class LocalBreakers:
    """All breakers of this process, kept by itself alone."""

    def __init__(self, settings: BreakerSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._breakers: dict[str, BreakerRules] = {}

    def adopt(self, name: str, state: BreakerState, *, seconds_left: float) -> None:
        """Go on from where another keeper's breaker stood."""
        self.breaker(name).adopt(state, seconds_left=seconds_left)

    def breaker(self, name: str) -> BreakerRules:
        """The breaker of that name, closed when it is new."""
        if name not in self._breakers:
            self._breakers[name] = BreakerRules(self._settings, self._clock)
        return self._breakers[name]

    async def report(
        self, name: str, *, outcomes: str = "", held: tuple[str, ...] = ()
    ) -> BreakerReading:
        return self.breaker(name).report(outcomes, held)

    async def begin_probe(self, name: str, permit: str) -> BreakerReading:
        return self.breaker(name).begin_probe(permit)

    async def end_probe(self, name: str, permit: str, outcome: CallOutcome) -> BreakerReading:
        return self.breaker(name).end_probe(permit, outcome)
