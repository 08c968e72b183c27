"""The order of a turn, and what becomes of it when something happens in between.

The pipeline's parts are replaced by ones that note when they are called; with real servers it is
walked in tests/integration/workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest
from msgspec.structs import replace

from shared.clock import SystemClock
from shared.errors import LedgerUnavailable
from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.ledger.claiming import ClaimGroup, Lease
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import SilentTracing
from workers.leases import Leases
from workers.maintenance.periodic import repeat, running
from workers.pipeline import Pipeline, TurnOutcome
from workers.steps.claim import Claim
from workers.steps.remember import Remember
from workers.steps.reply import Reply
from workers.turn import Turn, begin_turn

Act = Callable[[Turn], Any]


def _answer(turn: Turn) -> None:
    turn.end(ResponseState.COMPLETED, SystemClock().now(), output_text="yes")


class NotedStep:
    """Notes that it was called, then does what the test wants of it."""

    def __init__(self, noted: list[str], name: str, act: Act = lambda _: None) -> None:
        self.name = name
        self._noted = noted
        self._act = act

    async def __call__(self, turn: Turn) -> Any:
        self._noted.append(self.name)
        outcome = self._act(turn)
        return await outcome if asyncio.iscoroutine(outcome) else outcome

    async def abandoned(self, turn: Turn) -> None:
        self._noted += [f"booked {each.provider}" for each in turn.abandoned]


class NotedClaims:
    """A ledger that holds one message, until the test takes it away."""

    def __init__(self, noted: list[str]) -> None:
        self._noted = noted
        self.is_held = True
        self.is_away = False
        self.fault: str | None = None

    async def renew(self, leases: list[Lease]) -> set[Lease]:
        return set(leases) if self.is_held else set()

    async def release(
        self, lease: Lease, *, not_before: object = None, fault: str | None = None
    ) -> None:
        self._noted.append("release later" if not_before else "release")
        self.fault = fault
        if self.is_away:
            raise LedgerUnavailable("It is away.")


class Bench:
    """A pipeline whose parts note what is done to them."""

    def __init__(
        self, *steps: Act, remember: Act = lambda _: True, seconds: float = 60, found: bool = True
    ) -> None:
        self.noted: list[str] = []
        self.claims = NotedClaims(self.noted)
        self.leases = Leases(cast(ClaimGroup, self.claims))
        self.turn = begin_turn(_record(seconds))
        clock = SystemClock()
        self.pipeline = Pipeline(
            claim=cast(Claim, self._claim if found else self._find_nothing),
            steps=[
                NotedStep(self.noted, f"step {number}", act) for number, act in enumerate(steps, 1)
            ],
            remember=cast(Remember, NotedStep(self.noted, "remember", remember)),
            reply=cast(Reply, NotedStep(self.noted, "reply")),
            leases=self.leases,
            metrics=Metrics(),
            tracing=SilentTracing(),
            clock=clock,
        )

    async def run(self) -> TurnOutcome:
        async with running(repeat("leases", self.leases.renew, every_seconds=0.001)):
            return await self.pipeline.run("resp_1")

    async def _claim(self, _: str) -> Turn:
        self.noted.append("claim")
        return self.turn

    async def _find_nothing(self, _: str) -> None:
        self.noted.append("claim")


def _record(seconds: float) -> MessageRecord:
    now = SystemClock().now()
    return MessageRecord(
        id="resp_1",
        tenant_id="ten_1",
        lane=Lane.STANDARD,
        body='{"input": "well?"}',
        accepted_at=now,
        deadline=now + timedelta(seconds=seconds),
        claimed_at=now,
        attempt=1,
    )


async def test_a_turn_goes_from_claim_to_reply_in_order() -> None:
    bench = Bench(lambda _: None, _answer)
    assert await bench.run() is TurnOutcome.ANSWERED
    assert bench.noted == ["claim", "step 1", "step 2", "remember", "reply"]


async def test_once_a_step_has_ended_the_turn_the_others_are_skipped() -> None:
    bench = Bench(_answer, _answer, _answer)
    assert await bench.run() is TurnOutcome.ANSWERED
    assert bench.noted == ["claim", "step 1", "remember", "reply"]


async def test_a_wake_up_for_nothing_does_nothing() -> None:
    bench = Bench(_answer, found=False)
    assert await bench.run() is TurnOutcome.NOTHING_TO_CLAIM
    assert bench.noted == ["claim"]


async def test_a_turn_that_lost_its_place_says_nothing() -> None:
    bench = Bench(_answer, remember=lambda _: False)
    assert await bench.run() is TurnOutcome.LOST
    assert "reply" not in bench.noted


async def test_a_step_is_stopped_as_soon_as_its_lease_is_gone() -> None:
    async def endless(_: Turn) -> None:
        bench.claims.is_held = False
        await asyncio.Event().wait()

    bench = Bench(endless)
    assert await asyncio.wait_for(bench.run(), 5) is TurnOutcome.LOST
    assert bench.noted == ["claim", "step 1"], "not given back: somebody else has it"


async def test_a_renewal_that_misses_the_message_it_just_ended_stops_nothing() -> None:
    async def written_while_leases_are_renewed(_: Turn) -> bool:
        bench.claims.is_held = False
        await asyncio.sleep(0.02)  # several renewals, none of which finds the message
        return True

    bench = Bench(_answer, remember=written_while_leases_are_renewed)
    assert await bench.run() is TurnOutcome.ANSWERED
    assert bench.noted[-1] == "reply"


async def test_a_fault_of_ours_gives_the_message_back_for_later() -> None:
    def broken(_: Turn) -> None:
        raise ZeroDivisionError

    bench = Bench(broken)
    assert await bench.run() is TurnOutcome.RELEASED
    assert bench.noted == ["claim", "step 1", "release later"]
    assert bench.claims.fault == "ZeroDivisionError"


async def test_the_same_fault_twice_ends_the_message_with_its_name() -> None:
    bench = Bench(lambda _: 1 / 0)
    bench.turn.record = replace(bench.turn.record, attempt=2, error_message="ZeroDivisionError")

    assert await bench.run() is TurnOutcome.FAILED
    assert bench.noted == ["claim", "step 1", "remember", "reply"]
    end = bench.turn.settlement
    assert end is not None
    assert (end.state, end.dead_reason) == (ResponseState.FAILED, DeadReason.FAULT)
    assert "ZeroDivisionError" in (end.error_message or "")


@pytest.mark.parametrize(
    ("error", "before"),
    [(ZeroDivisionError(), "KeyError"), (LedgerUnavailable("away"), "LedgerUnavailable")],
)
async def test_another_fault_and_one_that_may_pass_give_the_message_back_again(
    error: Exception, before: str
) -> None:
    def broken(_: Turn) -> None:
        raise error

    bench = Bench(broken)
    bench.turn.record = replace(bench.turn.record, error_message=before)

    assert await bench.run() is TurnOutcome.RELEASED


@pytest.mark.parametrize("away", [False, True])
async def test_a_shutdown_gives_the_message_back_and_stays_a_shutdown(away: bool) -> None:
    async def endless(_: Turn) -> None:
        begun.set()
        await asyncio.Event().wait()

    begun = asyncio.Event()
    bench = Bench(endless)
    bench.claims.is_away = away
    running = asyncio.create_task(bench.run())
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert bench.noted == ["claim", "step 1", "release"]


async def test_a_deadline_ends_the_turn_and_not_the_worker() -> None:
    async def endless(_: Turn) -> None:
        await asyncio.Event().wait()

    bench = Bench(endless, seconds=0.02)
    assert await asyncio.wait_for(bench.run(), 5) is TurnOutcome.FAILED
    assert bench.turn.settlement is not None
    assert bench.turn.settlement.state is ResponseState.FAILED
    assert bench.turn.settlement.dead_reason is DeadReason.DEADLINE_PASSED
    assert bench.noted[-2:] == ["remember", "reply"]


async def test_a_timeout_inside_a_step_is_a_fault_and_no_deadline() -> None:
    def slow(_: Turn) -> None:
        raise TimeoutError

    bench = Bench(slow)
    assert await bench.run() is TurnOutcome.RELEASED
