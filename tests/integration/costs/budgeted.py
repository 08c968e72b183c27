"""Doors and a worker that share one Redis, and tenants with a cap."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from decimal import Decimal

import pytest
from redis.asyncio import Redis

from ingress.admission.admission import Admission
from ingress.admission.question import AdmissionRequest
from ingress.admission.verdict import RefusalReason, Refused, Verdict
from shared.clock import SystemClock
from shared.costs.budget import Budgets
from shared.costs.price import nano_dollars
from shared.costs.prices import Prices
from shared.identifiers import new_response_id
from shared.messages.lane import Lane
from shared.messages.tenant import Plan, Tenant
from shared.persistence.engine import Database
from shared.reservations.reservations import Reservations
from shared.settings.costs import PriceSettings
from shared.settings.door import LimitSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.telemetry.metrics import Metrics

OpenDoor = Callable[[], Admission]
PLENTY = 1_000_000_000
PRICE = PriceSettings(model="m", input_per_million=Decimal(1), output_per_million=Decimal(10))
PROVIDER = ProviderSettings(
    name="own", kind=ProviderKind.OPENAI_COMPATIBLE, base_url="http://10.0.0.7/v1", model="m"
)


@pytest.fixture
async def open_door(redis_client: Redis, database: Database) -> AsyncIterator[OpenDoor]:
    """Each call is another replica of the door."""
    async with AsyncExitStack() as stack:

        def opened() -> Admission:
            budgets = Budgets(database, Prices([PRICE], [PROVIDER]), SystemClock())
            door = Admission(
                redis_client, LimitSettings(), SystemClock(), Metrics(), budgets=budgets
            )
            stack.push_async_callback(door.close)
            return door

        yield opened


@pytest.fixture
async def worker(redis_client: Redis) -> AsyncIterator[Reservations]:
    opened = Reservations(redis_client, SystemClock())
    yield opened
    await opened.close()


def tenant(cap: str | None) -> Tenant:
    budget = None if cap is None else Decimal(cap)
    plan = Plan(PLENTY, PLENTY, PLENTY, PLENTY, PLENTY, budget)
    return Tenant(new_response_id(), "test", plan)


def message(owner: Tenant, *, seconds_left: float = 60.0) -> AdmissionRequest:
    """It reserves 0.001 + 0.009 = 0.01 dollars: a token for each byte, and the longest answer."""
    message_id = new_response_id()
    return AdmissionRequest(
        message_id=message_id,
        tenant=owner,
        user=None,
        lane=Lane.STANDARD,
        estimated_tokens=1_900,
        prompt_bytes=856,  # and 144 tokens around it
        max_output_tokens=900,
        body_digest=hashlib.sha256(message_id.encode()).digest(),
        idempotency_key=None,
        seconds_left=seconds_left,
    )


async def settle(worker: Reservations, asked: AdmissionRequest, cost: str | None) -> bool:
    return await worker.settle(
        asked.tenant.id,
        None,
        message_id=asked.message_id,
        estimated_tokens=1_900,
        used_tokens=1_900,
        nano_dollars=None if cost is None else nano_dollars(Decimal(cost)),
    )


def is_out_of_budget(verdict: Verdict) -> bool:
    return isinstance(verdict, Refused) and verdict.reason is RefusalReason.BUDGET_EXHAUSTED
