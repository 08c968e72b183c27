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
    return one_machine(
        *links,
        FOREBAY_COSTS__PRICES=json.dumps(PRICES),
        FOREBAY_BREAKERS__MINIMUM_CALLS="1000",
        FOREBAY_BREAKERS__FAILURES_IN_A_ROW="1000",
    )


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


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("kind", "error_class", "heard"),
    [
        (Kind.DISCONNECT, "cut_stream", False),
        (Kind.MALFORMED_JSON, "malformed_answer", True),
        (Kind.CUT_STREAM, "cut_stream", True),
        (Kind.ERROR_IN_STREAM, "server_error", True),
    ],
)
async def test_what_was_sent_and_heard_of_a_broken_call_is_paid_for(
    road: Road,
    provider: ProviderThread,
    kind: Kind,
    error_class: str,
    heard: bool,
    stream: bool,
) -> None:
    question = f"break it as {kind} {stream}"
    provider.behave(kind, contains=question, text="so far so good", after_tokens=3, times=1)
    record = await road.ended(await road.accept(question, body={"stream": stream}))
    broken, answered = await road.attempts(record)
    assert broken.error_class == error_class
    assert broken.is_estimated
    assert broken.input_tokens > 0
    assert (broken.output_tokens > 0) is heard
    assert broken.cost > 0
    assert record.cost == broken.cost + answered.cost


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
