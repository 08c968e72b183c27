"""A worker process books every attempt with what it cost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import pytest

from deploy.scripted_provider.behaviour import Kind
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.conftest import provider
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, open_road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.migrated import migrate

__all__ = ["provider"]  # a fixture
PRICES = [{"model": "scripted", "input_per_million": 2, "output_per_million": "8.5"}]
pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture(scope="module")
def stack(
    provider: ProviderThread,
    redis_databases: Iterator[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Stack:
    ledger_url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.sqlite3'}"
    migrate(ledger_url)
    provider.reset()
    return Stack(
        broker_url=next(redis_databases),
        redis_url=next(redis_databases),
        ledger_url=ledger_url,
        providers=[openai_link(provider.url, "first"), openai_link(provider.url, "second")],
        extra={"FOREBAY_COSTS__PRICES": json.dumps(PRICES)},
    )


@pytest.fixture(scope="module")
def worker(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentWorker]:
    started = AgentWorker(stack, tmp_path_factory.mktemp("worker"))
    yield started.start()
    started.kill()


@pytest.fixture
async def road(stack: Stack) -> AsyncIterator[Road]:
    async with open_road(stack) as opened:
        yield opened


async def test_failed_and_answered_attempts_are_booked_and_the_response_says_the_sum(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.SERVER_ERROR, contains="fails once", times=1)
    record = await road.ended(await road.accept("fails once", user_id="ann"))
    failed, answered = await road.attempts(record)
    assert (failed.error_class, failed.cost) == ("server_error", 0)
    cost = (2 * record.input_tokens + Decimal("8.5") * record.output_tokens) / 1_000_000  # type: ignore[operator]
    assert cost > 0
    assert answered.cost == record.cost == cost
    assert not answered.is_estimated
    assert (answered.tenant_id, answered.user_id, answered.lane) == (
        record.tenant_id,
        "ann",
        record.lane,
    )
    closing = await road.closing_event(record)
    assert closing["response"]["cost"]["currency"] == "USD"
    assert Decimal(closing["response"]["cost"]["amount"]) == cost


async def test_tokens_that_nobody_reported_are_estimated_and_marked(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.NO_USAGE, contains="count it yourself", times=1)
    record = await road.ended(await road.accept("count it yourself"))
    (booked,) = await road.attempts(record)
    assert booked.is_estimated
    assert booked.cost == record.cost
    assert booked.cost > 0


async def test_a_sum_with_an_unknown_part_is_unknown_on_the_response(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.MALFORMED_JSON, contains="garble it", times=1)
    record = await road.ended(await road.accept("garble it"))
    garbled, answered = await road.attempts(record)
    assert garbled.cost is None
    assert answered.cost > 0
    assert record.cost is None
    assert (await road.closing_event(record))["response"]["cost"] is None
