"""Facts that a source looks up hold for every answer of the turn, and its failure for none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.messages.dead_letter import DeadReason
from shared.messages.facts import FACTS_KEY
from shared.messages.state import ResponseState
from tests.integration.conftest import OneMachine
from tests.integration.facts.shop import Shop, never, redirects, replies, says
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import TENANT, Road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.postgres import PostgresServer

FALSE, TRUE = "Your balance is $127,549.32.", "Your balance is $47.15."
ADA: dict[str, Any] = {"user_id": "ada"}
QUERY = "SELECT balance FROM account WHERE user_id = :user_id"
MONEY = {"balance": {"type": "money", "currency": "USD"}}


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Shop() as started:
        yield started


@pytest.fixture(scope="module")
def bank_url(postgres: PostgresServer) -> str:
    url = postgres.database_url(postgres.create_database())
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE account (user_id text, balance numeric(12, 2))")
        connection.execute("INSERT INTO account VALUES ('ada', 47.15)")
    return url


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, shop: Shop, bank_url: str, one_machine: OneMachine) -> Stack:
    over_http = {"kind": "http", "timeout_seconds": 3, "max_body_bytes": 1000}
    sources = [
        {
            "name": "bank",
            "kind": "sql",
            "url": bank_url,
            "query": QUERY,
            "facts": MONEY,
            "timeout_seconds": 60,
        },
        {"name": "shop", "url": f"{shop.url}/of/{{metadata_shop}}", **over_http},
        {
            "name": "strict",
            "url": f"{shop.url}/of/{{metadata_strict}}",
            "on_failure": "fail",
            **over_http,
        },
        {
            "name": "careful",
            "url": f"{shop.url}/of/{{metadata_careful}}",
            "on_failure": "hand_off",
            **over_http,
        },
        {
            "name": "elsewhere",
            "url": f"{shop.url}/elsewhere/{{user_id}}",
            "tenants": ["ten_2"],
            "on_failure": "fail",
            **over_http,
        },
    ]
    return one_machine(
        openai_link(provider.url, "first"),
        {"name": "people", "kind": "handoff", "apology": "A person will see to it: $handoff"},
        FOREBAY_FACTS__SOURCES=json.dumps(sources),
        FOREBAY_FACTS__TELL_MODEL="true",
    )


def say(provider: ProviderThread, asked: str, *texts: str) -> None:
    for text in texts:
        provider.behave(Kind.ANSWER, contains=asked, text=text, times=1)


async def test_a_balance_that_contradicts_its_row_is_caught_and_asked_for_again(
    road: Road, provider: ProviderThread, worker: AgentWorker
) -> None:
    say(provider, "what does ada own", FALSE, TRUE)
    record = await road.ended(await road.accept("what does ada own", **ADA))
    assert (record.state, record.output_text) == (ResponseState.COMPLETED, TRUE)
    rejected, accepted = await road.attempts(record)
    assert (rejected.error_class, accepted.error_class) == ("rejected", None)
    assert "balance" in rejected.detail
    assert "127,549" not in rejected.detail + worker.log


async def test_a_stream_that_contradicts_its_row_begins_again(
    road: Road, provider: ProviderThread
) -> None:
    say(provider, "stream ada's balance", FALSE, TRUE)
    record = await road.accept("stream ada's balance", body={"stream": True}, **ADA)
    closing = await road.closing_event(record)
    assert closing["response"]["output"][0]["content"][0]["text"] == TRUE


async def test_the_model_is_told_the_facts_as_data(road: Road, provider: ProviderThread) -> None:
    say(provider, "tell ada", TRUE)
    body = {"instructions": "Be brief.", "metadata": {"shop": "ada"}}
    await road.ended(await road.accept("tell ada", body=body, **ADA))
    (call,) = provider.calls("tell ada")
    assert call.instructions == "Be brief."
    asked, _, note = call.content.partition("\n\n<system_note>\n")
    assert asked == "tell ada"
    assert '{"balance": "47.15 USD"}' in note


async def test_somebody_unknown_is_answered_without_facts(
    road: Road, provider: ProviderThread
) -> None:
    say(provider, "what does bob own", FALSE)
    record = await road.ended(await road.accept("what does bob own", user_id="bob"))
    assert record.output_text == FALSE
    (call,) = provider.calls("what does bob own")
    assert call.instructions == ""


async def test_the_producers_own_fact_wins(road: Road, provider: ProviderThread) -> None:
    own = json.dumps({"balance": {"type": "money", "value": 50, "currency": "USD"}})
    say(provider, "what was I told", "Your balance is $50.")
    body = {"metadata": {FACTS_KEY: own}}
    record = await road.ended(await road.accept("what was I told", body=body, **ADA))
    assert record.output_text == "Your balance is $50."
    assert len(await road.attempts(record)) == 1


@pytest.mark.parametrize(
    "answer", [replies({}, 500), never, says("<html>"), redirects("/of/ada"), says("x" * 2000)]
)
async def test_a_source_that_fails_costs_its_facts_and_no_message(
    road: Road, provider: ProviderThread, shop: Shop, worker: AgentWorker, answer: Any
) -> None:
    shop.answer = answer
    asked = f"how many orders {len(shop.paths)}"
    say(provider, asked, "You have 5 orders.")
    record = await road.ended(await road.accept(asked, body={"metadata": {"shop": "ada"}}))
    assert (record.state, record.output_text) == (ResponseState.COMPLETED, "You have 5 orders.")
    assert "fact_source_failed" in worker.log


async def test_what_must_not_be_answered_without_facts_is_a_dead_letter(
    road: Road, provider: ProviderThread, shop: Shop
) -> None:
    shop.answer = replies({}, 503)
    record = await road.ended(
        await road.accept("strictly speaking", body={"metadata": {"strict": "ada"}})
    )
    assert record.state is ResponseState.FAILED
    (letter,) = await road.dead_letters(record.id)
    assert letter.reason == DeadReason.FACTS_UNAVAILABLE
    assert record.cost == 0
    assert provider.calls("strictly speaking") == []


async def test_or_a_human_has_it(road: Road, provider: ProviderThread, shop: Shop) -> None:
    shop.answer = replies({}, 503)
    body = {"metadata": {"careful": "ada"}}
    record = await road.ended(await road.accept("carefully now", body=body))
    assert record.state is ResponseState.REQUIRES_ACTION
    assert record.answered_by == "people"
    assert (record.output_text or "").startswith("A person will see to it: hand_")
    assert provider.calls("carefully now") == []


async def test_another_tenants_source_is_never_asked(
    road: Road, provider: ProviderThread, shop: Shop
) -> None:
    say(provider, "who asks", "Nobody.")
    shop.answer = replies({}, 500)
    record = await road.ended(await road.accept("who asks", **ADA))
    assert (record.tenant_id, record.output_text) == (TENANT, "Nobody.")
    assert not any(path.startswith("/elsewhere") for path in shop.paths)


async def test_what_the_metadata_gives_never_leaves_its_place(
    road: Road, provider: ProviderThread, shop: Shop
) -> None:
    shop.knows(orders=3)
    say(provider, "climb", "You have 3 orders.")
    body = {"metadata": {"shop": "../elsewhere/x"}}
    await road.ended(await road.accept("climb", body=body))
    assert shop.paths[-1] == "/of/..%2Felsewhere%2Fx"
