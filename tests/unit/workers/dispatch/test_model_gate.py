"""Which messages may go while models stand as they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from shared.clock import Clock, ManualClock
from shared.messages.lane import Lane
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.parking.model_gate import ModelGate
from workers.dispatch.parking.outlook import ModelState, Outlook

ANSWERS, PROBED, AWAY = (Outlook(state, why=state.name) for state in ModelState)


class Scripted:
    """Models that stand as the test says; a message's id begins with its model's name."""

    def __init__(self, **outlooks: Outlook) -> None:
        self.outlooks: Mapping[str, Outlook] = outlooks
        self.asked: list[str] = []

    async def look(self) -> None: ...

    def named(self, asked: str | None) -> str:
        return asked or "auto"

    async def models_of(self, ids: Sequence[str]) -> dict[str, str | None]:
        self.asked += ids
        return {each: each.partition("#")[0] for each in ids}


def gate_of(
    models: Scripted, probes: int = 1, attempt_limit: int = 4, clock: Clock | None = None
) -> ModelGate:
    clock = clock or ManualClock()
    return ModelGate(models, models.models_of, clock, probes=probes, attempt_limit=attempt_limit)


def named(message_id: str, claims: int = 0) -> HeldMessage:
    return HeldMessage(message_id, Lane.BATCH, "ten_1", 0.0, 1e9, 1.0, claims)


def running(*ids: str) -> dict[str, bool]:
    return dict.fromkeys(ids, True)


async def test_everything_goes_while_all_answer_and_nothing_while_none_does() -> None:
    models = Scripted(a=ANSWERS, b=ANSWERS)
    gate = gate_of(models)
    await gate.look()
    assert gate.lets(named("a#1"))
    assert gate.lets(named("b#1"))
    models.outlooks = {"a": AWAY, "b": Outlook(ModelState.AWAY, 5.0, "b is open")}
    await gate.look()
    assert not gate.lets(named("a#2"))
    assert gate.outlook("a#2") == AWAY, "that which is back first is named"
    assert not models.asked, "what they ask for does not matter"


async def test_a_model_that_is_probed_gets_one_message_at_a_time() -> None:
    models = Scripted(a=PROBED)
    gate = gate_of(models)
    await gate.look()
    assert [gate.lets(named(f"a#{n}")) for n in range(3)] == [True, False, False]
    assert gate.lets(named("a#0")), "it is the one that goes"
    await gate.learn(is_under_way=running("a#0").__contains__)
    assert not gate.lets(named("a#1"))
    await gate.learn(is_under_way=running().__contains__)
    assert gate.lets(named("a#1"))


async def test_where_models_differ_messages_are_asked_for_theirs_and_once() -> None:
    models = Scripted(a=ANSWERS, b=AWAY)
    gate = gate_of(models)
    await gate.look()
    assert not gate.lets(named("a#1"))
    assert not gate.lets(named("b#1"))
    assert gate.wonders
    await gate.learn(is_under_way=running().__contains__)
    assert gate.lets(named("a#1"))
    assert not gate.lets(named("b#1"))
    assert not gate.wonders
    assert models.asked == ["a#1", "b#1"]


async def test_who_would_not_be_put_back_any_more_does_not_probe() -> None:
    models = Scripted(a=PROBED)
    gate = gate_of(models)
    await gate.look()
    assert not gate.lets(named("a#1", claims=2))
    assert gate.lets(named("a#2", claims=1))
    models.outlooks = {"a": ANSWERS}
    await gate.look()
    assert gate.lets(named("a#1", claims=2))


async def test_where_nobody_else_probes_one_of_them_does_after_a_while() -> None:
    models, clock = Scripted(a=PROBED), ManualClock()
    gate = gate_of(models, clock=clock)
    await gate.look()
    tired = [named(f"a#{n}", claims=2) for n in range(2)]
    for _ in range(2):
        assert not any(map(gate.lets, tired))
        clock.advance(899)
        assert not any(map(gate.lets, tired))
        clock.advance(2)
        assert [*map(gate.lets, tired)] == [True, False]
        await gate.learn(is_under_way=running().__contains__)


async def test_as_long_as_others_probe_who_would_not_be_put_back_waits() -> None:
    models, clock = Scripted(a=PROBED), ManualClock()
    gate = gate_of(models, clock=clock)
    await gate.look()
    for number in range(3):
        assert not gate.lets(named("a#tired", claims=2))
        clock.advance(899)
        assert gate.lets(named(f"a#{number}"))
        await gate.learn(is_under_way=running().__contains__)


@pytest.mark.parametrize("attempt_limit", [1, 2, 3])
async def test_a_model_is_probed_however_few_attempts_a_message_has(attempt_limit: int) -> None:
    models = Scripted(a=PROBED)
    gate = gate_of(models, attempt_limit=attempt_limit)
    await gate.look()
    assert not gate.lets(named("a#1", claims=1))
    assert gate.lets(named("a#2"))
