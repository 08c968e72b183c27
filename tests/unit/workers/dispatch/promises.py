"""What fair dispatch promises, each as an assertion that a policy passes or fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import quantiles

from shared.messages.lane import Lane
from tests.benchmarks.dispatch.calls import Call, flood, steady
from tests.benchmarks.dispatch.fleet import Fleet, Policy, open_lanes
from workers.dispatch.scheduler import Scheduler

SLOTS = 64
Make = Callable[..., Policy]


def _p99(waits: list[float]) -> float:
    return quantiles(waits, n=100)[98]


def _beside(policy: Policy, calls: list[Call], lane: Lane = Lane.STANDARD) -> float:
    """p99 of the waits of a small tenant that comes later than these."""
    small = steady("small", 10.0, since=40.0, until=80.0, seconds=0.5, lane=lane)
    fleet = Fleet(policy, SLOTS).run([*calls, *small], until=5_000.0, enough="small")
    return _p99(fleet.waits["small"])


def equal_calls(make: Make) -> None:
    """A flood of equal calls does not delay a small tenant by one of them."""
    assert _beside(make(), flood(4_000, 1.0)) < 0.5


def long_calls(make: Make) -> None:
    """Nor does one of calls that are 20 times as long."""
    assert _beside(make(), flood(500, 20.0)) < 5.0


def calls_said_to_be_short(make: Make) -> None:
    """Nor one whose calls were said to be a twentieth of what they are."""
    assert _beside(make(), flood(500, 20.0, said=0.05)) < 5.0


def noticed_while_it_runs(make: Make) -> None:
    """Calls of minutes that were said to be short do not get every slot before the first ends."""
    honest = flood(1_500, 1.0, tenant="honest")
    calls = [*flood(200, 300.0, said=0.003), *honest]
    fleet = Fleet(make(), SLOTS).run(calls, until=100.0)
    assert fleet.share("honest", 50.0, 100.0) > 0.05


def _two(policy: Policy) -> Fleet:
    calls = [*flood(8_500, 1.0, tenant="a"), *flood(700, 10.0, tenant="b")]
    return Fleet(policy, SLOTS).run(calls, until=150.0)


def units_shared(make: Make) -> None:
    """Two that always want more get the same, though one's calls cost ten times as much."""
    fleet = _two(make())
    shares = [fleet.share(tenant, 50.0, 150.0) for tenant in "ab"]
    assert abs(shares[0] - 0.5) <= 0.02
    assert sum(shares) ** 2 / (2 * sum(each**2 for each in shares)) >= 0.99, "Jain's index"


def weights_kept(make: Make) -> None:
    """Three to one is three quarters."""
    fleet = _two(make(lambda tenant: 3.0 if tenant == "a" else 1.0))
    assert abs(fleet.share("a", 50.0, 150.0) - 0.75) <= 0.02


def absence_saves_nothing(make: Make) -> None:
    """Who was away for minutes does not have every slot when it is back."""
    calls = [
        *flood(100, 1.0, tenant="b"),
        *flood(8_000, 1.0, tenant="a"),
        *flood(2_000, 1.0, tenant="b", at=70.0),
    ]
    fleet = Fleet(make(), SLOTS).run(calls, until=100.0)
    assert abs(fleet.share("a", 70.0, 100.0) - 0.5) <= 0.03


def no_slot_is_idle(make: Make) -> None:
    """A free slot and somebody who waits are never seen together, whoever it is."""

    def watch(fleet: Fleet) -> None:
        assert not fleet.waiting or len(fleet.running) == fleet.slots

    calls = [*flood(500, 5.0), *steady("small", 2.0, until=60.0)]
    Fleet(make(), SLOTS, watch=watch).run(calls, until=100.0)


def keys_make_no_shares(make: Make) -> None:
    """A tenant that sends with a thousand keys has one share."""
    calls = [replace(call, key=f"k{at}") for at, call in enumerate(flood(1_000, 2.0, tenant="a"))]
    fleet = Fleet(make(), SLOTS).run([*flood(1_000, 2.0, tenant="b"), *calls], until=40.0)
    assert abs(fleet.share("a", 10.0, 30.0) - 0.5) <= 0.02


def deadlines_met(make: Make) -> None:
    """Of a tenant's calls that could be met when they came, none is late.

    Half of the slots is enough for what comes and is due in seconds, and the others for what has
    lain there since the beginning, until that is due.
    """
    calls = [
        *flood(2_000, 1.0, tenant="a", deadline=90.0),
        *steady("a", SLOTS / 2, until=90.0, deadline_after=5.0),
    ]
    fleet = Fleet(make(), SLOTS).run(calls, until=100.0)
    assert not fleet.waiting
    assert not fleet.late


def batch_gives_way(make: Make) -> None:
    """Bursts of interactive calls beside long batch calls wait less than a second."""
    policy = make()
    assert isinstance(policy, Scheduler)
    bursts = [
        call
        for start in range(60, 240, 30)
        for call in steady(
            "people", 20.0, since=start, until=start + 3.0, seconds=1.0, lane=Lane.INTERACTIVE
        )
    ]
    batch = flood(700, 30.0, tenant="batch", lane=Lane.BATCH)
    give_way = getattr(policy, "give_way", None)
    fleet = Fleet(policy, SLOTS, open_lanes=open_lanes(policy.ceilings), give_way=give_way)
    fleet.run([*batch, *bursts], until=250.0)
    assert policy.waste.wasted_share(250.0) <= 0.05
    assert _p99(fleet.waits["people"]) < 1.0


def interactive_beside_a_standard_flood(make: Make) -> None:
    """An old flood of the standard lane does not go before an interactive message."""
    assert _beside(make(), flood(4_000, 1.0), Lane.INTERACTIVE) < 0.5


def standard_beside_an_interactive_flood(make: Make) -> None:
    """Nobody shuts the standard lane by sending everything as interactive."""
    assert _beside(make(), flood(4_000, 1.0, lane=Lane.INTERACTIVE)) < 0.5


def urgent_batch_is_served(make: Make) -> None:
    """Batch messages with a deadline make it beside a flood that would outlast it."""
    batch = flood(40, 5.0, tenant="batch", lane=Lane.BATCH, deadline=80.0)
    fleet = Fleet(make(), SLOTS).run([*batch, *flood(6_400, 1.0)], until=90.0)
    assert len(fleet.waits["batch"]) == 40
    assert not fleet.late


def _beside_an_outage(make: Make) -> Fleet:
    """Of a batch, while no model answers from 20 s to 120 s; some of it is wanted before."""
    policy = make()
    assert isinstance(policy, Scheduler)

    def watch(fleet: Fleet) -> None:
        policy.parking.lets = lambda _message: not 20.0 <= fleet.now < 120.0
        policy.parking.reconsider(fleet.now)

    calls = [
        *flood(3_000, 5.0, tenant="batch", lane=Lane.BATCH, deadline=900.0),
        *flood(40, 5.0, tenant="soon", lane=Lane.BATCH, at=30.0, deadline=100.0),
        *steady("people", 2.0, until=150.0, seconds=1.0, lane=Lane.INTERACTIVE),
    ]
    fleet = Fleet(policy, SLOTS, open_lanes=open_lanes(policy.ceilings), watch=watch)
    return fleet.run(calls, until=900.0)


def parked_while_no_model_answers(make: Make) -> None:
    """What has the time is not released into an outage, and all of it is answered in time."""
    fleet = _beside_an_outage(make)
    began = [since for since, _, _ in fleet.held["batch"]]
    assert not [since for since in began if 20.0 < since < 120.0]
    assert len(began) == 3_000
    assert not fleet.late
    assert max(fleet.waits["people"]) < 5.0


def nothing_expires_by_being_parked(make: Make) -> None:
    """What becomes urgent while it is parked goes at once."""
    fleet = _beside_an_outage(make)
    assert len(fleet.waits["soon"]) == 40
    assert not [call for call in fleet.late if call.tenant == "soon"]


def one_entry_a_flow(make: Make) -> None:
    """However many corrections there are, a flow has at most one entry in a heap."""
    policy = make()
    assert isinstance(policy, Scheduler)

    def watch(fleet: Fleet) -> None:
        waiting = {(call.lane, call.tenant) for call in fleet.waiting.values()}
        assert sum(len(lane.waiting) for lane in policy.lanes.values()) <= len(waiting)

    calls = [call for name in "abcdefghi" for call in flood(60, 4.0, said=0.3, tenant=name)]
    Fleet(policy, SLOTS, charge_every=1.0, watch=watch).run(calls, until=60.0)
