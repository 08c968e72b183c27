"""The script against a model of GCRA in exact arithmetic, and its promises over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingress.admission.risk import risk_of
from ingress.admission.verdict import Admitted, RefusalReason, Refused
from shared.messages.tenant import Plan, Tenant
from tests.integration.admission.conftest import message, tenant
from tests.integration.admission.manual_door import HALF_LIFE_SECONDS, ManualDoor

ROUNDING = Fraction(1, 10_000)
PLANS = st.builds(
    Plan,
    requests_per_minute=st.integers(1, 300),
    tokens_per_minute=st.integers(50, 100_000),
    user_requests_per_minute=st.integers(1, 300),
    user_tokens_per_minute=st.integers(50, 100_000),
    max_in_flight=st.just(1_000_000),
)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 20_000),  # milliseconds since the last one
        st.sampled_from([None, "a", "b"]),
        st.integers(1, 50),  # tokens
        st.sampled_from([b"x", b"y", None]),
    ),
    min_size=1,
    max_size=60,
)
property_test = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass
class VirtualScheduling:
    """GCRA as it is usually written: a theoretical arrival time (ITU-T I.371)."""

    per_minute: int
    arrival: Fraction = Fraction(0)
    pending: Fraction = field(default=Fraction(0))

    def margin(self, now: Fraction, weight: int) -> Fraction:
        """By how many seconds `weight` conforms; negative when it does not."""
        interval = Fraction(60, self.per_minute)
        self.pending = max(self.arrival, now) + weight * interval
        return now + max(Fraction(60), weight * interval) - self.pending

    def commit(self) -> None:
        self.arrival = self.pending


@property_test
@given(plan=PLANS, steps=STEPS)
def test_the_script_agrees_with_gcra_in_exact_arithmetic(
    limits_url: str, plan: Plan, steps: list[tuple[int, str | None, int, bytes | None]]
) -> None:
    door = ManualDoor(limits_url, risk=False)
    owner = Tenant(tenant().id, "test", plan)
    models: dict[object, list[VirtualScheduling]] = {
        user: [VirtualScheduling(requests), VirtualScheduling(tokens)]
        for user, requests, tokens in (
            ("tenant", plan.requests_per_minute, plan.tokens_per_minute),
            ("a", plan.user_requests_per_minute, plan.user_tokens_per_minute),
            ("b", plan.user_requests_per_minute, plan.user_tokens_per_minute),
        )
    }
    start = Fraction(door.now)
    elapsed = Fraction(0)
    for milliseconds, user, tokens, _ in steps:
        elapsed += Fraction(milliseconds, 1000)
        door.now = float(start + elapsed)
        buckets = models["tenant"] + (models[user] if user else [])
        margin = min(
            bucket.margin(start + elapsed, weight)
            for bucket, weight in zip(buckets, [1, tokens] * 2, strict=False)
        )
        admitted = isinstance(door.decide(message(owner, user=user, tokens=tokens)), Admitted)
        if abs(margin) > ROUNDING:
            assert admitted == (margin >= 0)
        if admitted:
            for bucket in buckets:
                bucket.commit()


@property_test
@given(plan=PLANS, steps=STEPS)
def test_whoever_waits_as_long_as_told_is_admitted(
    limits_url: str, plan: Plan, steps: list[tuple[int, str | None, int, bytes | None]]
) -> None:
    door = ManualDoor(limits_url)
    owner = Tenant(tenant().id, "test", plan)
    for milliseconds, user, tokens, body in steps:
        door.now += milliseconds / 5000
        verdict = door.decide(message(owner, user=user, tokens=tokens, body=body))
        if isinstance(verdict, Refused):
            door.now += verdict.retry_after_seconds
            again = door.decide(message(owner, user=user, tokens=tokens, body=body))
            assert isinstance(again, Admitted), (verdict, again)


@property_test
@given(plan=PLANS, steps=STEPS)
def test_the_risk_is_the_one_of_the_formula(
    limits_url: str, plan: Plan, steps: list[tuple[int, str | None, int, bytes | None]]
) -> None:
    door = ManualDoor(limits_url)
    owner = Tenant(tenant().id, "test", plan)
    for milliseconds, user, tokens, body in steps:
        door.now += milliseconds / 100_000
        verdict = door.decide(message(owner, user=user, tokens=tokens, body=body))
        if isinstance(verdict, Refused):
            burst = door.limits(owner, named_user=user is not None).user_requests.burst
            expected = risk_of(door.record(owner, user), full_bucket=burst)
            assert verdict.risk == pytest.approx(expected, abs=2e-6)


@property_test
@given(plan=PLANS, steps=STEPS)
def test_a_user_without_a_record_is_judged_as_one_whose_record_weighs_nothing(
    limits_url: str, plan: Plan, steps: list[tuple[int, str | None, int, bytes | None]]
) -> None:
    door = ManualDoor(limits_url)
    without, counted = (Tenant(tenant().id, "test", plan) for _ in range(2))
    for milliseconds, user, tokens, body in steps:
        door.now += milliseconds / 5000
        asked = message(without, user=user, tokens=tokens, body=body)
        door.count_next_to_nothing(counted, user)

        verdict = door.decide(asked)

        assert door.decide(msgspec.structs.replace(asked, tenant=counted)) == verdict


@pytest.mark.parametrize("refusals", [1, 6, 15, 300])
def test_a_refusal_counts_against_the_wait_that_it_names(limits_url: str, refusals: int) -> None:
    door = ManualDoor(limits_url)
    owner = tenant(user_requests=10)
    for _ in range(10 + refusals):
        refused = door.decide(message(owner, user="u"))
    assert isinstance(refused, Refused)
    door.now += refused.retry_after_seconds
    assert isinstance(door.decide(message(owner, user="u")), Admitted)


def test_identical_messages_beyond_a_full_bucket_raise_the_risk_and_it_passes(
    limits_url: str,
) -> None:
    door = ManualDoor(limits_url)
    owner = tenant(user_requests=10)
    for _ in range(40):
        door.now += 12
        asked = door.decide(message(owner, user="u", body=b"the same"))
    for _ in range(2):
        asked = door.decide(message(owner, user="u", body=b"the same"))
    assert 0.2 < asked.risk < 0.6
    for _ in range(20):
        refused = door.decide(message(owner, user="u", body=b"the same"))
    assert isinstance(refused, Refused)
    assert "identical messages" in refused.message
    door.now += 5 * HALF_LIFE_SECONDS
    assert door.decide(message(owner, user="u")).risk == 0


def test_a_burst_far_above_the_own_baseline_raises_the_risk(limits_url: str) -> None:
    door = ManualDoor(limits_url)
    owner = tenant(user_requests=600)
    for _ in range(100):
        door.now += 30
        steady = door.decide(message(owner, user="u"))
    assert steady.risk == 0
    for _ in range(200):
        door.now += 0.01
        bursting = door.decide(message(owner, user="u"))
    assert 0.2 < bursting.risk < 0.4


def test_the_first_burst_of_a_new_user_is_no_burst(limits_url: str) -> None:
    door = ManualDoor(limits_url)
    owner = tenant(user_requests=600)
    verdicts = [door.decide(message(owner, user="u")) for _ in range(600)]
    assert all(isinstance(verdict, Admitted) and verdict.risk == 0 for verdict in verdicts)


def test_a_lane_that_is_too_slow_for_the_deadline_refuses_and_leaves_no_mark(
    limits_url: str,
) -> None:
    door = ManualDoor(limits_url)
    owner = tenant(requests=1, in_flight=1)
    for _ in range(20):
        refused = door.decide(message(owner, seconds_left=60), expected_wait_seconds=100)
        assert isinstance(refused, Refused)
        assert refused.reason is RefusalReason.LANE_OVERLOADED
        assert refused.retry_after_seconds == pytest.approx(40)
        assert refused.risk == 0
    assert isinstance(
        door.decide(message(owner, seconds_left=101), expected_wait_seconds=100), Admitted
    )


def test_a_clock_that_jumps_back_locks_nobody_out(limits_url: str) -> None:
    door = ManualDoor(limits_url)
    owner = tenant(requests=60, user_requests=60)
    while isinstance(door.decide(message(owner, user="u")), Admitted):
        pass
    door.now -= 86_400
    refused = door.decide(message(owner, user="u"))
    assert isinstance(refused, Refused)
    door.now += refused.retry_after_seconds
    assert isinstance(door.decide(message(owner, user="u")), Admitted)


def test_keys_of_one_tenant_lie_in_one_slot_of_a_cluster_and_show_no_user(limits_url: str) -> None:
    door = ManualDoor(limits_url)
    owner = tenant()
    door.decide(message(owner, user="alice@example.com", key="order 17"))
    keys = [key.decode() for key in door.redis.scan_iter(f"*{owner.id}*")]
    assert len(keys) == 4
    assert all(f"{{{owner.id}}}" in key for key in keys)
    assert all(door.redis.ttl(key) > 0 for key in keys)
    assert not [key for key in keys if "alice" in key or "order" in key]
