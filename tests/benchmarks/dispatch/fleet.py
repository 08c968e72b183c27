"""A fleet of slots in virtual time, that asks a policy whom to serve next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from shared.messages.lane import Lane
from tests.benchmarks.dispatch.calls import Call
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.lanes.ceilings import Ceilings

_Span = tuple[float, float, float]


class Policy(Protocol):
    """What a fleet asks; `Scheduler` is one."""

    def add(self, message: HeldMessage, now: float) -> bool: ...
    def pick(self, now: float, lanes: Collection[Lane]) -> HeldMessage | None: ...
    def charge(self, message_id: str, units: float, now: float) -> None: ...
    def settle(self, message_id: str, units: float, now: float) -> bool: ...
    def tick(self, now: float) -> None: ...


class Run:
    """One call while it has a slot."""

    __slots__ = ("call", "message", "since")

    def __init__(self, message: HeldMessage, call: Call, since: float) -> None:
        self.message = message
        self.call = call
        self.since = since


def open_lanes(ceilings: Ceilings) -> Callable[[int, int, float], list[Lane]]:
    """Which lanes may start one more message, where so many of so many slots are taken then."""
    return lambda busy, slots, now: [lane for lane in Lane if busy < ceilings.of(lane, now) * slots]


class Fleet:
    """Runs calls. `waits` is by tenant, seconds in queue of each that was released, in order.

    `held` has, by tenant, from when to when it held a slot, in seconds, and the units of a second.
    """

    def __init__(
        self,
        policy: Policy,
        slots: int,
        *,
        open_lanes: Callable[[int, int, float], Collection[Lane]] | None = None,
        give_way: Callable[[float], HeldMessage | None] | None = None,
        charge_every: float | None = 3.0,
        watch: Callable[[Fleet], None] | None = None,
    ) -> None:
        self.policy = policy
        self.slots = slots
        self.now = 0.0
        self.running: dict[str, Run] = {}
        self.waiting: dict[str, Call] = {}
        self.waits: dict[str, list[float]] = defaultdict(list)
        self.held: dict[str, list[_Span]] = defaultdict(list)
        self.late: list[Call] = []
        self.taken_back = 0.0
        self._open_lanes = open_lanes or (lambda _busy, _slots, _now: tuple(Lane))
        self._give_way = give_way
        self._charge_every = charge_every
        self._watch = watch
        self._calls: dict[str, Call] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def run(self, calls: Iterable[Call], *, until: float, enough: str | None = None) -> Fleet:
        """Up to the second `until`, or until no call of the tenant `enough` waits or will come."""
        left = 0
        for number, call in enumerate(sorted(calls, key=lambda each: each.at)):
            left += call.tenant == enough
            self._at(
                call.at, lambda name=f"{call.key}#{number}", call=call: self._arrive(name, call)
            )
        self._at(0.0, self._tick)
        while self._events and self._events[0][0] <= until:
            if enough is not None and len(self.waits[enough]) == left:
                break
            self.now = self._events[0][0]
            while self._events and self._events[0][0] == self.now:
                heappop(self._events)[2]()
            self._fill()
            if self._watch is not None:
                self._watch(self)
        self.now = min(until, self.now) if enough else until
        for run in self.running.values():
            self._note(run)
        return self

    def share(self, tenant: str, since: float, until: float) -> float:
        """0..1 of the units of these seconds, as calls cost them while they run."""
        units = {name: _within(spans, since, until) for name, spans in self.held.items()}
        return units.get(tenant, 0.0) / sum(units.values())

    def _at(self, at: float, what: Callable[[], None]) -> None:
        heappush(self._events, (at, next(self._numbers), what))

    def _arrive(self, name: str, call: Call) -> None:
        self._calls[name] = self.waiting[name] = call
        self.policy.add(call.message(name), self.now)

    def _tick(self) -> None:
        self.policy.tick(self.now)
        self._at(self.now + 1.0, self._tick)

    def _fill(self) -> None:
        while True:
            lanes = self._open_lanes(len(self.running), self.slots, self.now)
            free = len(self.running) < self.slots
            message = self.policy.pick(self.now, lanes) if free and lanes else None
            if message is not None:
                self._start(message)
            elif free or self._give_way is None or not self._make_room():
                return

    def _make_room(self) -> bool:
        assert self._give_way is not None
        message = self._give_way(self.now)
        if message is None:
            return False
        run = self.running.pop(message.id)
        self.waiting[message.id] = run.call
        self._note(run)
        self.taken_back += self.now - run.since
        return True

    def _start(self, message: HeldMessage) -> None:
        call = self.waiting.pop(message.id)
        run = self.running[message.id] = Run(message, call, self.now)
        self.waits[call.tenant].append(self.now - call.at)
        if self.now + call.seconds > call.deadline:
            self.late.append(call)
        self._at(self.now + call.seconds, partial(self._end, run))
        if self._charge_every is not None and call.seconds > self._charge_every:
            self._at(self.now + self._charge_every, partial(self._charge, run))

    def _charge(self, run: Run) -> None:
        if self.running.get(run.message.id) is run:
            self.policy.charge(
                run.message.id, (self.now - run.since) * run.call.units_per_second, self.now
            )
            self._at(self.now + (self._charge_every or 0.0), partial(self._charge, run))

    def _end(self, run: Run) -> None:
        if self.running.get(run.message.id) is run:
            del self.running[run.message.id]
            self._note(run)
            self.policy.settle(run.message.id, run.call.units, self.now)

    def _note(self, run: Run) -> None:
        span = run.since, self.now, run.call.units_per_second
        self.held[run.call.tenant].append(span)


def _within(spans: list[_Span], since: float, until: float) -> float:
    return sum(max(0.0, min(end, until) - max(begin, since)) * units for begin, end, units in spans)
