"""How long a message of a lane would wait now, and whether it may be published at once.

A wait is queued work over the speed at which it goes away. The load comes from the ledger, which
knows all replicas' messages; each process adds what it let in itself since it last looked. So the
count cannot drift, it is in no store that could be flushed, and it is wrong by at most what the
other doors admitted within one interval.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any, Final

import msgspec

from ingress.admission.question import AdmissionRequest
from ingress.admission.reply import AdmissionReply
from ingress.admission.verdict import Admitted, Existing
from shared.clock import Clock
from shared.dispatch.credit import NOBODY, Credits, Wanted
from shared.errors import Unavailable
from shared.messages.lane import Lane
from shared.persistence.ledger.lane_load import LaneLoad
from shared.redis.scripts import ScriptRun
from shared.resilience.kept_running import end_tasks, kept_running
from shared.telemetry.metrics import Metrics

BACKLOG_SECONDS: Final = 2.0
"""A lane whose oldest message is younger is keeping up: its drain rate says how much was asked
for, not how much it can do, and nobody is refused by it."""

STANDSTILL_SECONDS: Final = 5.0
"""How long a lane must have moved after a standstill before its drain rate counts: the first
message of a worker that is back, over a window without workers, would close the lane."""

ReadLoads = Callable[[], Awaitable[Mapping[Lane, LaneLoad]]]


@dataclass(slots=True)
class _LaneState:
    load: LaneLoad | None = None
    busy_since: float | None = None
    stood_until: float = float("-inf")
    admitted_since: int = 0


class LaneWatch:
    """Reads the lanes' load every `interval_seconds` while it runs.

    A load that is older than ten intervals (the ledger is away) refuses nobody.
    """

    def __init__(
        self, read_loads: ReadLoads, clock: Clock, metrics: Metrics, *, interval_seconds: float
    ) -> None:
        self._read_loads = read_loads
        self._clock = clock
        self._metrics = metrics
        self._interval_seconds = interval_seconds
        self._lanes = {lane: _LaneState() for lane in Lane}
        self._sampled_at = float("-inf")
        self._loop: asyncio.Task[None] | None = None

    def expected_wait_seconds(self, lane: Lane) -> float:
        """How long a message admitted now would wait; 0 when the lane keeps up or is unknown."""
        now = self._clock.monotonic()
        state = self._lanes[lane]
        stale = now - self._sampled_at > 10 * self._interval_seconds
        if stale or state.load is None or state.busy_since is None:
            return 0.0
        if state.load.drained_per_second <= 0:
            # Nothing goes away: whoever comes now waits at least as long as the oldest has.
            return state.load.oldest_seconds
        if self._sampled_at - state.stood_until < STANDSTILL_SECONDS:
            return 0.0
        rate = _capacity(state.load, seconds=now - max(state.busy_since, state.stood_until))
        expected = (state.load.queued + max(state.admitted_since, 0)) / rate
        # What was not counted to its end is at least as long as its oldest has waited.
        return max(expected, state.load.oldest_seconds) if state.load.is_capped else expected

    def count(self, lane: Lane, change: int) -> None:
        """One more message (+1) on its way into the lane, or one less after all (-1)."""
        self._lanes[lane].admitted_since += change

    async def sample(self) -> None:
        """Look once; raises what the ledger raises."""
        counted = {lane: state.admitted_since for lane, state in self._lanes.items()}
        loads = await self._read_loads()
        now = self._sampled_at = self._clock.monotonic()
        for lane, state in self._lanes.items():
            # What came in while we were reading may or may not be in the load: count it.
            state.admitted_since -= counted[lane]
            state.load = load = loads.get(lane)
            if load is not None and load.drained_per_second <= 0:
                state.stood_until = now
            self._tell(lane, load)
            if load is None or load.queued == 0 or load.oldest_seconds < BACKLOG_SECONDS:
                state.busy_since = None
            elif state.busy_since is None:
                state.busy_since = now - load.oldest_seconds

    def start(self) -> None:
        """Look again and again until `close`."""
        self._loop = asyncio.get_running_loop().create_task(kept_running("lane watch", self._watch))

    async def close(self) -> None:
        if self._loop is not None:
            await end_tasks(self._loop)

    def _tell(self, lane: Lane, load: LaneLoad | None) -> None:
        self._metrics.waiting_messages.labels(lane).set(load.queued if load else 0)
        self._metrics.oldest_waiting_seconds.labels(lane).set(load.oldest_seconds if load else 0)

    async def _watch(self) -> None:
        while True:
            with contextlib.suppress(Unavailable, OSError):
                await self.sample()  # else the load grows stale, and stale loads refuse nobody
            await asyncio.sleep(self._interval_seconds)


def _capacity(load: LaneLoad, *, seconds: float) -> float:
    """Messages a second while busy, for so long: the window still holds the idle time before."""
    window = min(load.window_seconds, max(seconds, BACKLOG_SECONDS))
    return load.drained_per_second * load.window_seconds / window


class LaneCredits:
    """Which of the messages that are let in may be published at once, and not wait their turn.

    What is left at hand (of those that were refused, or never came to be) goes back with the next
    group; else the leader of the dispatch counts anew within a second.
    """

    def __init__(self) -> None:
        # Most groups are like one before, and Redis is asked the same.
        self._taking = lru_cache(1_024)(Credits().taking)
        self._wanted: tuple[Wanted, ...] = ()
        self._led: set[Lane] = set()
        self._at_hand: dict[Lane, int] = {}

    def asking(self, requests: Sequence[AdmissionRequest]) -> list[ScriptRun]:
        """What to ask Redis for these, with what goes back; one run, or none."""
        back = {lane: left for lane, left in self._at_hand.items() if left}
        needed = dict.fromkeys(back, 0)
        self._at_hand.clear()
        for request in requests:
            if request.is_message:
                needed[request.lane] = needed.get(request.lane, 0) + 1
        wanted = [Wanted(lane, number, back.get(lane, 0)) for lane, number in needed.items()]
        self._wanted = tuple(wanted)
        return [self._taking(self._wanted)] if wanted else []

    def take_in(self, outcomes: Sequence[Any]) -> None:
        """What Redis granted of that; where it refused, nobody is held."""
        for granted in outcomes:
            numbers = granted if isinstance(granted, list) else repeat(NOBODY)
            for (lane, _, _), number in zip(self._wanted, numbers, strict=False):
                if number == NOBODY:
                    self._led.discard(lane)
                else:
                    self._led.add(lane)
                    self._at_hand[lane] = self._at_hand.get(lane, 0) + number

    def spend(self, request: AdmissionRequest, answer: AdmissionReply) -> AdmissionReply:
        """The answer, which says whether the message is held."""
        lane, verdict = request.lane, answer.verdict
        is_led = request.is_message and lane in self._led
        if not is_led or not isinstance(verdict, Admitted | Existing):
            return answer
        if isinstance(verdict, Admitted) and (left := self._at_hand.get(lane)):
            self._at_hand[lane] = left - 1
            return answer
        return AdmissionReply(msgspec.structs.replace(verdict, held=True), answer.p90_output_tokens)

    def put_back(self, request: AdmissionRequest) -> None:
        """One that was spent on a message that came to nothing."""
        if request.is_message and request.lane in self._led:
            self._at_hand[request.lane] = self._at_hand.get(request.lane, 0) + 1
