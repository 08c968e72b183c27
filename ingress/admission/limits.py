"""A tenant's plan turned into the numbers that the script enforces."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from ingress.admission.risk import LARGEST_RISK, WEIGHTS
from shared.messages.tenant import Plan, Tenant
from shared.settings.door import LimitSettings

MINUTE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Limit:
    """So much per minute, of which `burst` may come at once."""

    per_minute: int
    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one message: its tenant's, and its user's.

    A message without a user counts against one anonymous user, which may use all that the tenant
    may. `rules` is the packed form for the script (ARGV 1 of admission.lua).
    """

    requests: Limit
    tokens: Limit
    user_requests: Limit
    user_tokens: Limit
    in_flight: int
    rules: bytes
    daily_budget: Decimal | None = None


def plan_of(tenant: Tenant, settings: LimitSettings) -> Plan:
    """The tenant's own plan, or the one of the settings."""
    return tenant.plan or plan_of_settings(settings)


def plan_of_settings(settings: LimitSettings) -> Plan:
    """The plan of a tenant that has none of its own."""
    return Plan(
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
        user_requests_per_minute=settings.user_requests_per_minute,
        user_tokens_per_minute=settings.user_tokens_per_minute,
        max_in_flight=settings.max_in_flight,
        daily_budget=settings.daily_budget,
    )


@lru_cache(maxsize=4096)
def limits_of(
    plan: Plan, *, named_user: bool, burst_share: float, half_life_seconds: float
) -> Limits:
    """The limits of `plan`; the anonymous user gets the tenant's."""
    requests = _limit(plan.requests_per_minute, burst_share)
    tokens = _limit(plan.tokens_per_minute, burst_share)
    user_requests = _limit(plan.user_requests_per_minute, burst_share) if named_user else requests
    user_tokens = _limit(plan.user_tokens_per_minute, burst_share) if named_user else tokens
    numbers = [
        number
        for limit in (requests, tokens, user_requests, user_tokens)
        for number in (limit.per_second, limit.burst)
    ]
    numbers += [plan.max_in_flight, half_life_seconds, LARGEST_RISK]
    for weight in WEIGHTS:
        # Repeats within one full bucket are a customer's load test or its cron job, not abuse.
        free = user_requests.burst if weight.free is None else weight.free
        numbers += [weight.largest, weight.half, free]
    rules = struct.pack(f"<{len(numbers)}d", *numbers)
    return Limits(
        requests,
        tokens,
        user_requests,
        user_tokens,
        plan.max_in_flight,
        rules,
        plan.daily_budget,
    )


def _limit(per_minute: int, burst_share: float) -> Limit:
    """At least one may come at once; a plan of 0 lets one through and practically never another."""
    most = max(per_minute, 1)
    return Limit(most, most / MINUTE_SECONDS, max(1.0, per_minute * burst_share))
