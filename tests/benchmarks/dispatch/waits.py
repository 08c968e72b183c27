"""How long a small tenant waits beside a flood, in virtual time, and who else would have let it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import median, quantiles
from typing import Final

from shared.messages.lane import Lane
from tests.benchmarks.dispatch.calls import UNITS_PER_SECOND, Call, flood, steady
from tests.benchmarks.dispatch.fleet import Fleet, Policy, open_lanes
from tests.benchmarks.dispatch.rivals import DeficitRoundRobin, FirstCome, LeastInFlight, RoundRobin
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Progress, Row
from workers.dispatch.giving_way import GivingWay
from workers.dispatch.scheduler import Scheduler

SLOTS: Final = 64
FLOOD: Final = 10_000
RIVALS: Final[dict[str, Callable[[], Policy]]] = {
    "ours": Scheduler,
    "first come": FirstCome,
    "round robin": RoundRobin,
    "least in flight": LeastInFlight,
    "deficit round robin": DeficitRoundRobin,
}
FLOODS: Final[dict[str, list[Call]]] = {
    "none": [],
    f"{FLOOD:,} equal calls": flood(FLOOD, 0.5),
    f"{FLOOD:,} calls 20 times as long": flood(FLOOD, 10.0),
    "the same, said to be equal": flood(FLOOD, 10.0, said=0.05),
}


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Seconds of virtual time: the same on each machine."""
    for name, calls in FLOODS.items():
        say(f"a small tenant beside {name}")
        waits = {rival: _small_waits(make(), calls) for rival, make in RIVALS.items()}
        for figure, of in (("p50", median), ("p99", _p99)):
            yield _row(
                f"wait of a small tenant beside a flood: {name}, {figure}",
                {rival: of(each) for rival, each in waits.items()},
            )
    say("calls that cost ten times as much")
    yield _row(
        "share of a tenant beside one whose calls cost ten times as much in the same time",
        {rival: _cheap_share(make()) * 100 for rival, make in RIVALS.items()},
        unit="%",
    )
    say("interactive calls beside batch calls")
    yield from _beside_batch()


def _small_waits(policy: Policy, calls: Sequence[Call]) -> list[float]:
    """Of half a second each, ten a second, for a minute, from 20 seconds after the flood on."""
    small = steady("small", 10.0, since=20.0, until=80.0, seconds=0.5)
    fleet = Fleet(policy, SLOTS).run([*calls, *small], until=9_000.0, enough="small")
    return fleet.waits["small"]


def _cheap_share(policy: Policy) -> float:
    """Of the units of 100 s; both have enough to fill every slot, and come in turns."""
    cheap = flood(8_000, 1.0, tenant="cheap")
    dear = [replace(call, tenant="dear", units_per_second=10 * UNITS_PER_SECOND) for call in cheap]
    calls = [call for both in zip(cheap, dear, strict=True) for call in both]
    return Fleet(policy, SLOTS).run(calls, until=120.0).share("cheap", 20.0, 120.0)


def _beside_batch() -> Iterator[Row]:
    """Bursts of a second's calls, beside batch calls of 30 s; the stock way is the ceiling."""
    scheduler, ceiling = Scheduler(), Scheduler()
    ours = _bursts(scheduler, GivingWay(scheduler).give_way)
    stock = _bursts(ceiling, None)
    wasted = scheduler.waste.wasted_share(370.0)
    for figure, of in (("p50", median), ("p99", _p99)):
        yield Row(
            what=f"wait of interactive calls in bursts beside batch calls of 30 s, {figure}",
            on="virtual time",
            unit="s",
            ours=of(ours),
            stock=of(stock),
        )
    yield Row(
        what="batch units that giving way to them wasted",
        on="virtual time",
        unit="%",
        ours=wasted * 100,
        limit=5.0,
    )


def _bursts(scheduler: Scheduler, give_way: Callable[[float], object] | None) -> list[float]:
    bursts = [
        call
        for start in range(60, 360, 30)
        for call in steady(
            "people", 20.0, since=start, until=start + 3.0, seconds=1.0, lane=Lane.INTERACTIVE
        )
    ]
    batch = flood(1_000, 30.0, tenant="batch", lane=Lane.BATCH)
    fleet = Fleet(
        scheduler,
        SLOTS,
        open_lanes=open_lanes(scheduler.ceilings),
        give_way=give_way,  # type: ignore[arg-type]
    )
    return fleet.run([*batch, *bursts], until=370.0).waits["people"]


def _row(what: str, figures: dict[str, float], unit: str = "s") -> Row:
    ours, first_come, *others = figures.items()
    return Row(
        what=what,
        on="virtual time",
        unit=unit,
        ours=ours[1],
        stock=first_come[1],
        apart=dict(others),
    )


def _p99(waits: list[float]) -> float:
    return quantiles(waits, n=100)[98]
