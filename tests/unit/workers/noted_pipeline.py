"""A pipeline whose parts note when they are called; with real servers it is walked in
tests/integration/workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, cast

from shared.clock import SystemClock
from shared.errors import LedgerUnavailable
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.records import AttemptRecord
from shared.persistence.ledger.worker_lease import Lease
from shared.resilience.periodic import repeat, running
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import SilentTracing
from tests.queued_message import queued_message
from workers.leases import Leases
from workers.pipeline import ForSearches, Pipeline, TurnOutcome
from workers.steps.claim import Claim
from workers.steps.remember import Remember
from workers.steps.reply import Reply
from workers.steps.summary_follow_up import FollowUp
from workers.turn import Turn, begin_turn

Act = Callable[[Turn], Any]


def end_turn(turn: Turn) -> None:
    turn.end(ResponseState.COMPLETED, SystemClock().now(), output_text="yes")


def call_of(provider: str) -> AttemptRecord:
    now = SystemClock().now()
    return AttemptRecord(provider=provider, model="m", started_at=now, latency_seconds=1.0)


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

    def leave(self, turn: Turn) -> None: ...

    async def abandoned(self, turn: Turn) -> None:
        self._noted += [f"booked {each.provider}" for each in turn.attempts]


class NotedClaims:
    """A ledger that holds one message, until the test takes it away."""

    def __init__(self, noted: list[str]) -> None:
        self._noted = noted
        self.is_held = True
        self.is_away = False
        self.fault: str | None = None
        self.why = ""

    async def renew(self, leases: list[Lease]) -> set[Lease]:
        return set(leases) if self.is_held else set()

    async def release(
        self,
        lease: Lease,
        *,
        not_before: object = None,
        fault: str | None = None,
        why: str = "",
    ) -> None:
        self._noted.append("release later" if not_before else "release")
        self.fault, self.why = fault, why
        if self.is_away:
            raise LedgerUnavailable("It is away.")


class Bench:
    """A pipeline whose parts note what is done to them."""

    def __init__(
        self,
        *steps: Act,
        remember: Act = lambda _: True,
        seconds: float = 60,
        found: bool = True,
        for_searches: int = 0,
        body: str = '{"input": "well?"}',
    ) -> None:
        """Of the steps so many, the first ones, are for searches."""
        self.noted: list[str] = []
        self.claims = NotedClaims(self.noted)
        self.leases = Leases(cast(ClaimGroup, self.claims))
        self.turn = begin_turn(_record(seconds, body))
        clock = SystemClock()
        self.metrics = Metrics()
        self.pipeline = Pipeline(
            claim=cast(Claim, self._claim if found else self._find_nothing),
            steps=[
                ForSearches(step) if nth < for_searches else step
                for nth, step in enumerate(self._noting(steps))
            ],
            remember=cast(Remember, NotedStep(self.noted, "remember", remember)),
            reply=cast(Reply, NotedStep(self.noted, "reply")),
            follow_up=cast(FollowUp, NotedStep(self.noted, "follow up")),
            leases=self.leases,
            metrics=self.metrics,
            tracing=SilentTracing(),
            clock=clock,
        )

    def _noting(self, steps: Sequence[Act]) -> list[NotedStep]:
        return [NotedStep(self.noted, f"step {nth}", act) for nth, act in enumerate(steps, 1)]

    async def run(self) -> TurnOutcome:
        async with running(repeat("leases", self.leases.renew, every_seconds=0.001)):
            return await self.pipeline.run("resp_1")

    async def _claim(self, _: str) -> Turn:
        self.noted.append("claim")
        return self.turn

    async def _find_nothing(self, _: str) -> None:
        self.noted.append("claim")


def _record(seconds: float, body: str) -> MessageRecord:
    now = SystemClock().now()
    return queued_message(
        body=body,
        accepted_at=now,
        deadline=now + timedelta(seconds=seconds),
        claimed_at=now,
        attempt=1,
    )
