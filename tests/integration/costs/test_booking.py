"""A worker process books every attempt with what it cost."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from deploy.scripted_provider.behaviour import Kind
from tests.integration.conftest import OneMachine
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack, openai_link

PRICES = [{"model": "scripted", "input_per_million": 2, "output_per_million": "8.5"}]
pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, one_machine: OneMachine) -> Stack:
    links = [openai_link(provider.url, "first"), openai_link(provider.url, "second")]
    return one_machine(*links, FOREBAY_COSTS__PRICES=json.dumps(PRICES))


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


async def test_a_model_is_booked_and_priced_by_the_name_it_was_asked_by(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.ANSWER, contains="who are you", echoed_model="scripted/" + "x" * 200)
    record = await road.ended(await road.accept("who are you"))

    (booked,) = await road.attempts(record)
    assert booked.model == "scripted"
    assert booked.cost == record.cost
    assert booked.cost > 0
    assert record.model == ("scripted/" + "x" * 200)[:128]
    assert len(provider.calls("who are you")) == 1, "an odd name is no reason to pay again"
