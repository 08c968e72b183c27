"""How far two flows that both wait may come apart: one largest call of each, and no more."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, count
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shared.messages.lane import Lane
from tests.unit.workers.dispatch.mutants import CallsCounted
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.scheduler import Scheduler

Step = tuple[str, float] | None
"""A message of a tenant that costs so much, or a release."""

TENANTS = "abcd"
WEIGHTS = {"a": 1.0, "b": 1.0, "c": 2.0, "d": 5.0}
STEPS = st.lists(
    st.none() | st.tuples(st.sampled_from(TENANTS), st.integers(1, 1_000).map(float)),
    max_size=200,
)


class Pair:
    """How much more, by weight, the first has had than the second since both wait."""

    def __init__(self) -> None:
        self.ahead = self.least = self.most = 0.0

    def add(self, amount: float) -> None:
        self.ahead += amount
        self.least = min(self.least, self.ahead)
        self.most = max(self.most, self.ahead)


def farthest_apart(make: Callable[..., Scheduler], steps: list[Step]) -> float:
    """The largest distance of two flows in any time in which both waited, to what is allowed."""
    scheduler, names = make(weight_of=WEIGHTS.__getitem__), count()
    costs: dict[str, float] = {}
    waiting, largest = dict.fromkeys(TENANTS, 0), dict.fromkeys(TENANTS, 1.0)
    for step in steps:
        if step is not None:
            largest[step[0]] = max(largest[step[0]], step[1])
    pairs: dict[tuple[str, str], Pair] = {}
    worst = 0.0
    for step in steps:
        if step is not None:
            name = f"m{next(names)}"
            costs[name] = step[1]
            scheduler.add(HeldMessage(name, Lane.STANDARD, step[0], 0.0, 1e9, step[1]), 0.0)
            waiting[step[0]] += 1
            continue
        message = scheduler.pick(0.0, tuple(Lane))
        if message is None:
            continue
        scheduler.settle(message.id, costs[message.id], 0.0)
        served = message.tenant
        for pair in combinations(TENANTS, 2):
            if not (waiting[pair[0]] and waiting[pair[1]]):
                pairs.pop(pair, None)
            elif served in pair:
                apart = pairs.setdefault(pair, Pair())
                sign = 1.0 if served == pair[0] else -1.0
                apart.add(sign * costs[message.id] / WEIGHTS[served])
                allowed = sum(largest[tenant] / WEIGHTS[tenant] for tenant in pair)
                worst = max(worst, (apart.most - apart.least) / allowed)
        waiting[served] -= 1
    return worst


@given(STEPS)
def test_two_flows_that_wait_never_come_apart_by_more_than_a_call_of_each(
    steps: list[Step],
) -> None:
    assert farthest_apart(Scheduler, steps) <= 1.0 + 1e-9


def _random_steps(seed: int) -> list[Step]:
    random = Random(seed)
    return [
        None if random.random() < 0.4 else (random.choice(TENANTS), random.choice((1.0, 1_000.0)))
        for _ in range(400)
    ]


def test_the_bound_is_tight_and_broken_where_calls_are_counted() -> None:
    steps = [_random_steps(seed) for seed in range(60)]
    kept = max(farthest_apart(Scheduler, each) for each in steps)
    assert 0.9 < kept <= 1.0 + 1e-9
    assert max(farthest_apart(CallsCounted, each) for each in steps) > 1.0
