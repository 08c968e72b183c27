"""Each promise holds, and does not without the guard that it hangs on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.dispatch.rivals import FirstCome, RoundRobin
from tests.unit.workers.dispatch import mutants, promises
from workers.dispatch.giving_way import GivingWay
from workers.dispatch.scheduler import Scheduler


class Ours(Scheduler):
    """With giving way, as its leader does it."""

    def __init__(self, *given: Any) -> None:
        super().__init__(weight_of=given[0]) if given else super().__init__()
        self.give_way = GivingWay(self).give_way


def _without_weights(*_given: Any) -> Scheduler:
    return Scheduler()


def _capped() -> Scheduler:
    return mutants.Capped(promises.SLOTS // 2)


GUARDS = [
    (promises.equal_calls, FirstCome),
    (promises.long_calls, RoundRobin),
    (promises.calls_said_to_be_short, mutants.NotSettled),
    (promises.noticed_while_it_runs, mutants.NotChargedWhileRunning),
    (promises.units_shared, mutants.CallsCounted),
    (promises.weights_kept, _without_weights),
    (promises.absence_saves_nothing, mutants.NotLifted),
    (promises.no_slot_is_idle, _capped),
    (promises.keys_make_no_shares, mutants.FlowOfEachKey),
    (promises.deadlines_met, mutants.DeadlinesIgnored),
    (promises.batch_gives_way, Scheduler),
    (promises.interactive_beside_a_standard_flood, mutants.LanesByAge),
    (promises.standard_beside_an_interactive_flood, mutants.InteractiveFirst),
    (promises.urgent_batch_is_served, mutants.NeverUrgent),
    (promises.parked_while_no_model_answers, mutants.NeverParked),
    (promises.parked_while_no_model_answers, mutants.OutagesCounted),
    (promises.nothing_expires_by_being_parked, mutants.ParkedForGood),
    (promises.one_entry_a_flow, mutants.StaleEntries),
]


@pytest.mark.parametrize("promise", dict.fromkeys(promise for promise, _ in GUARDS))
def test_the_promise_is_kept(promise: Any) -> None:
    promise(Ours)


@pytest.mark.parametrize(("promise", "unguarded"), GUARDS)
def test_the_promise_is_broken_without_its_guard(promise: Any, unguarded: Any) -> None:
    with pytest.raises(AssertionError):
        promise(unguarded)
