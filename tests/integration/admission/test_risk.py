"""Risk shrinks a user's limits, says why, and passes."""

from __future__ import annotations

import asyncio
import re

import pytest

from ingress.admission.admission import Admission
from ingress.admission.verdict import Admitted, RefusalReason, Refused
from shared.messages.tenant import Tenant
from shared.reservations.reservations import RiskSignal
from tests.integration.admission.conftest import (
    OpenDoor,
    OpenReservations,
    message,
    standing,
    tenant,
)


async def test_a_user_that_keeps_knocking_is_trusted_less_and_told_so(open_door: OpenDoor) -> None:
    door = open_door(settings=standing(10))
    owner = tenant(user_requests=1)
    refusals = [await door.decide(message(owner, user="u", body=b"same")) for _ in range(60)][10:]
    assert all(isinstance(refusal, Refused) for refusal in refusals)
    first, last = refusals[0], refusals[-1]
    assert first.risk == 0
    assert "risk" not in first.message
    assert 0.3 < last.risk < 0.4
    assert re.search(r"\(risk 0\.3\d: 50 refusals recently\)", last.message)
    assert last.retry_after_seconds > first.retry_after_seconds


@pytest.mark.parametrize("signal", list(RiskSignal))
async def test_what_others_report_shrinks_the_allowance(
    signal: RiskSignal, open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    door, others = open_door(settings=standing(100)), open_reservations()
    owner = tenant(user_requests=1)
    assert await others.report(owner.id, "u", signal, times=10)
    admitted = await admitted_of(door, owner, user="u", of=120)
    untouched = await admitted_of(door, owner, user="other", of=120)
    assert untouched == 100
    assert 20 <= admitted <= 85
    refused = await door.decide(message(owner, user="u"))
    assert isinstance(refused, Refused)
    assert re.search(r"10 \w+", refused.message)


async def test_risk_shrinks_rate_and_burst_by_the_same_share(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    door, others = open_door(), open_reservations()
    owner = tenant(user_requests=6000)
    await others.report(owner.id, "u", RiskSignal.VALIDATOR_BLOCK, times=3)
    verdict = await door.decide(message(owner, user="u"))
    assert isinstance(verdict, Admitted)
    assert verdict.risk == pytest.approx(0.4, abs=0.01)
    assert verdict.quota is not None
    assert verdict.quota.limit_requests == pytest.approx(3600, abs=40)
    assert verdict.quota.remaining_requests == pytest.approx(3599, abs=40)


async def test_messages_without_a_user_share_one_record(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    door, others = open_door(settings=standing(100)), open_reservations()
    owner = tenant(requests=1)
    await others.report(owner.id, None, RiskSignal.INJECTION, times=2)
    admitted = await admitted_of(door, owner, user=None, of=120)
    assert admitted == 60
    refused = await door.decide(message(owner))
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.RATE_LIMITED_REQUESTS


async def test_nobody_is_locked_out_by_a_score(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    door, others = open_door(), open_reservations()
    owner = tenant(user_requests=6)
    for signal in RiskSignal:
        await others.report(owner.id, "u", signal, times=1e6)
    verdict = await door.decide(message(owner, user="u"))
    assert isinstance(verdict, Admitted)
    assert verdict.risk == pytest.approx(0.95)


async def admitted_of(door: Admission, owner: Tenant, *, user: str | None, of: int) -> int:
    verdicts = await asyncio.gather(*(door.decide(message(owner, user=user)) for _ in range(of)))
    return sum(isinstance(verdict, Admitted) for verdict in verdicts)
