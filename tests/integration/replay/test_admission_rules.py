"""What replay decides at the door, held equal to the scripts over random histories."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deploy.replay.rules.admission_rules import AdmissionRules
from deploy.replay.rules.asked import Asked, DoorReply, SettledUsage
from ingress.admission.commitments import lease_call
from ingress.admission.limits import limits_of
from ingress.admission.question import AdmissionRequest, script_call
from shared.costs.budget import NO_BUDGET, BudgetQuestion
from shared.messages.lane import Lane
from shared.messages.tenant import Plan, Tenant
from shared.reservations.account import EPOCH_DAY, RecordCount, load_account_script
from shared.reservations.reservations import budget_key, slots_key, tenant_key, user_key
from tests.integration.replay.virtual_redis import VirtualRedis

EPOCH = int(datetime.fromordinal(EPOCH_DAY).replace(tzinfo=UTC).timestamp())
CAP = 10_000


@dataclass(frozen=True)
class Step:
    """What happens next: a message is asked about, committed, or ended."""

    kind: str
    wait: float
    tenant: str
    user: str | None
    number: int
    tokens: int
    body: bytes
    seconds_left: float
    expected_wait: float
    price: int


def _plan(random: Random) -> Plan:
    is_wide = random.random() < 0.5
    most = 2_000 if is_wide else 40
    return Plan(
        requests_per_minute=random.randint(1, most),
        tokens_per_minute=random.randint(50, 100 * most),
        user_requests_per_minute=random.randint(1, most),
        user_tokens_per_minute=random.randint(50, 100 * most),
        max_in_flight=random.choice([3, 10, 1_000]),
    )


def _history(random: Random) -> Iterator[Step]:
    """Bursts of messages, of which some end while others come, and quiet times between."""
    number = 0
    for _ in range(random.randint(3, 6)):
        kinds = random.choice(["ask", ["ask", "ask", "end", "commit"], ["ask", "end"]])
        waits = random.choice([[0.01, 0.03], [0.01, 0.25, 1.37], [1.37, 9.3]])
        bodies = random.choice([1, 3, 1_000_000])
        wait = random.choice([0.4, 31.3, 700.7, 1_300.1, 3_607.7, 5_000.3, 90_000.7])
        for _ in range(random.choice([5, 30, 120])):
            kind = kinds if isinstance(kinds, str) else random.choice(kinds)
            number += kind == "ask"
            back = number if kind == "ask" else max(0, number - random.randint(0, 12))
            yield Step(
                kind=kind,
                wait=wait,
                tenant=random.choice(["t", "t", "t", "other"]),
                user=random.choice([None, "a", "a", "b"]),
                number=back if random.random() < 0.95 else random.randint(0, number),
                tokens=random.randint(1, 90),
                body=random.randrange(bodies).to_bytes(16, "little"),
                seconds_left=random.choice([0.5, 60.0, 600.0]),
                expected_wait=random.choice([0.0, 0.0, 0.0, 0.0, 5.0]),
                price=random.randint(0, 1_000),
            )
            wait = random.choice(waits)


class Scripts:
    """The scripts on a real Redis, at given times, asked as the rules are."""

    def __init__(self, redis: VirtualRedis, plan: Plan, *, capped: bool) -> None:
        self.redis = redis
        self.limits = [
            limits_of(plan, named_user=named, burst_share=0.5, half_life_seconds=600.0)
            for named in (False, True)
        ]
        self._plan = plan
        self._capped = capped
        self._admission, self._commitments, self._reservations = (
            redis.script(load_account_script(package, name).source.decode())
            for package, name in (
                ("shared.reservations", "admission.lua"),
                ("ingress.admission", "commitments.lua"),
                ("shared.reservations", "reservations.lua"),
            )
        )

    def asked(self, step: Step, lease: float) -> Asked:
        return Asked(
            tenant=step.tenant,
            user=step.user,
            message_id=str(step.number),
            digest=step.body,
            tokens=step.tokens,
            lease=lease,
            expected_wait=step.expected_wait,
            seconds_left=step.seconds_left,
            cap=CAP if self._capped else None,
            price=step.price if self._capped else 0,
        )

    def decide(self, step: Step) -> tuple[DoorReply, float]:
        """The verdict, and the lease that was asked for."""
        request = AdmissionRequest(
            message_id=str(step.number),
            tenant=Tenant(step.tenant, step.tenant, self._plan),
            user=step.user,
            lane=Lane.STANDARD,
            estimated_tokens=step.tokens,
            body_digest=step.body,
            idempotency_key=None,
            seconds_left=step.seconds_left,
        )
        day = int(self.redis.now // 86_400)
        money = BudgetQuestion(CAP, step.price, day, 0, None) if self._capped else NO_BUDGET
        call = script_call(
            request,
            self.limits[step.user is not None],
            expected_wait_seconds=step.expected_wait,
            now=self.redis.now,
            budget=money if self._capped else NO_BUDGET,
        )
        reply = self._admission(call.keys, call.arguments)
        packed = call.arguments[4]
        assert isinstance(packed, bytes)
        _, lease, *_ = struct.unpack("<4d", packed)
        return _told(reply), lease

    def commit(self, step: Step) -> None:
        call = lease_call(step.tenant, {str(step.number): step.seconds_left}, now=self.redis.now)
        self._commitments(call.keys, call.arguments)

    def end(self, step: Step) -> bool:
        keys = (
            tenant_key(step.tenant),
            user_key(step.tenant, step.user),
            slots_key(step.tenant),
            budget_key(step.tenant),
        )
        more = step.tokens - 45
        cost = "" if step.price % 3 == 0 else step.price
        return bool(self._reservations(keys, (str(step.number), 0, more, step.tokens, cost, "")))


def _told(reply: bytes) -> DoorReply:
    refused_by, wait, risk, p90, *levels = struct.unpack("<8d", reply[:64])
    counts = list(struct.unpack(f"<{len(RecordCount)}d", reply[64:])) if refused_by else None
    one, two, three, four = levels
    return DoorReply(int(refused_by), wait, risk, p90, (one, two, three, four), counts)


@contextmanager
def _virtual(url: str) -> Iterator[VirtualRedis]:
    redis = VirtualRedis(url, epoch=EPOCH)
    redis.move_to(50_000_000.25)
    try:
        yield redis
    finally:
        redis.close()


def _close(told: Any) -> Any:
    return pytest.approx(told, rel=1e-6, abs=1e-6)


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(random=st.randoms(use_true_random=True), capped=st.booleans())
def test_the_rules_decide_as_the_scripts_do(redis_url: str, random: Random, capped: bool) -> None:
    rules, steps = AdmissionRules(), list(_history(random))
    with _virtual(redis_url) as redis:
        scripts = Scripts(redis, _plan(random), capped=capped)
        for step in steps:
            redis.move_to(redis.now + step.wait)
            _agree(rules, scripts, step)


def _agree(rules: AdmissionRules, scripts: Scripts, step: Step) -> None:
    now, message_id = scripts.redis.now, str(step.number)
    match step.kind:
        case "ask":
            expected, lease = scripts.decide(step)
            limits = scripts.limits[step.user is not None]
            told = rules.decide(scripts.asked(step, lease), limits, now)
            assert told.refused_by == expected.refused_by
            assert tuple(told[1:4]) == _close(tuple(expected[1:4]))
            assert told.levels == _close(expected.levels)
            if expected.counts is not None:
                assert (told.counts or [0.0] * len(RecordCount)) == _close(expected.counts)
        case "commit":
            scripts.commit(step)
            rules.committed(step.tenant, message_id, now + step.seconds_left)
        case _:
            cost = None if step.price % 3 == 0 else step.price
            usage = SettledUsage(step.tokens - 45, step.tokens, cost)
            ended = rules.settle(step.tenant, step.user, message_id, usage, now)
            assert ended == scripts.end(step)
