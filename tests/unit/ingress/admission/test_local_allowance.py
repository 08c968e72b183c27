from __future__ import annotations

import pytest

from ingress.admission.local_allowance import LocalAllowance
from ingress.admission.question import AdmissionRequest
from ingress.admission.verdict import Admitted, RefusalReason, Refused
from shared.clock import ManualClock
from shared.messages.lane import Lane
from shared.messages.tenant import Plan, Tenant

PLAN = Plan(100, 10_000, 100, 10_000, 10)


def asked(*, tenant_id: str = "ten_1", tokens: int = 10) -> AdmissionRequest:
    owner = Tenant(tenant_id, "test")
    return AdmissionRequest("resp_1", owner, None, Lane.STANDARD, tokens, b"", None, 60.0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def allowance(clock: ManualClock) -> LocalAllowance:
    return LocalAllowance(clock, share=0.1)


def admitted(allowance: LocalAllowance, *, of: int, tokens: int = 10) -> int:
    verdicts = [allowance.decide(asked(tokens=tokens), PLAN) for _ in range(of)]
    return sum(isinstance(verdict, Admitted) for verdict in verdicts)


def test_a_tenth_of_the_plan_comes_in(allowance: LocalAllowance) -> None:
    assert admitted(allowance, of=50) == 10


def test_tokens_count_as_well(allowance: LocalAllowance) -> None:
    assert admitted(allowance, of=50, tokens=300) == 3


def test_whoever_waits_as_long_as_told_comes_in(
    allowance: LocalAllowance, clock: ManualClock
) -> None:
    admitted(allowance, of=10)
    refused = allowance.decide(asked(), PLAN)
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.UNAVAILABLE
    clock.advance(refused.retry_after_seconds)
    assert isinstance(allowance.decide(asked(), PLAN), Admitted)


def test_a_message_heavier_than_the_share_passes_an_empty_allowance(
    allowance: LocalAllowance,
) -> None:
    assert admitted(allowance, of=3, tokens=5_000) == 1


def test_tenants_have_allowances_of_their_own(allowance: LocalAllowance) -> None:
    admitted(allowance, of=50)
    assert isinstance(allowance.decide(asked(tenant_id="ten_2"), PLAN), Admitted)


def test_a_share_of_nothing_lets_nobody_in(clock: ManualClock) -> None:
    assert isinstance(LocalAllowance(clock, share=0.0).decide(asked(), PLAN), Refused)
