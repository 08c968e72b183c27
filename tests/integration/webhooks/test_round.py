"""What is due reaches its endpoint, whatever becomes of tries and of those who make them."""

from __future__ import annotations

from standardwebhooks.webhooks import Webhook

from shared.batches.catalogue import BatchCatalogue
from shared.batches.tables import batch_item
from shared.clock import ManualClock
from shared.identifiers import EVALUATION_MESSAGE, new_id
from shared.messages.state import ResponseState
from shared.persistence.ledger.settlement.event_tables import EventType
from shared.persistence.statements import transaction
from shared.settings.webhooks import WebhookSettings
from shared.webhooks.deliveries import WebhookDeliveries
from shared.webhooks.tables import DeliveryState
from tests.integration.webhooks.conftest import (
    TO_LOOPBACK,
    Ending,
    ToldTenant,
    new_batch,
    whole_round,
)
from tests.integration.webhooks.receiver import WebhookReceiver


async def test_what_ended_is_posted_once_signed_and_logged(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending
) -> None:
    message_id = await ends()
    a_round = told.round()
    for _ in range(2):
        await whole_round(a_round)
    (got,) = receiver.got
    (endpoint,) = await told.endpoints.list(told.tenant.id)
    event = Webhook(endpoint.secrets[0]).verify(got.body.decode(), got.headers)
    assert event == got.event
    assert (event["type"], event["data"]) == ("response.completed", {"id": message_id})
    assert got.id == event["id"]
    assert (got.path, got.headers["content-type"]) == ("/hook", "application/json")
    (logged,) = await told.deliveries()
    assert (logged.state, logged.about, logged.tries) == (DeliveryState.DELIVERED, message_id, 1)
    assert [(each.ordinal, each.status, each.error) for each in logged.log] == [(1, 200, None)]


async def test_each_endpoint_is_told_what_it_wants(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending
) -> None:
    only_failed = receiver.url.replace("/hook", "/failed")
    await told.endpoint(only_failed, events=[EventType.RESPONSE_FAILED])
    await ends()
    await ends(ResponseState.FAILED)
    await whole_round(told.round())
    got = sorted((each.path, each.event["type"]) for each in receiver.got)
    assert got == [
        ("/failed", "response.failed"),
        ("/hook", "response.completed"),
        ("/hook", "response.failed"),
    ]
    assert len({each.id for each in receiver.got}) == 2, "an event has one id wherever it goes"


async def test_a_line_of_a_batch_is_not_told_of_by_itself(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending
) -> None:
    line, alone = await ends(), await ends()
    batch = await BatchCatalogue(told.database, told.clock).create(new_batch(told))
    async with transaction(told.database.durable) as connection:
        item = {"batch_id": batch.id, "line": 1, "custom_id": "a", "message_id": line}
        await connection.execute(batch_item.insert(), item)
    await whole_round(told.round())
    assert [each.event["data"]["id"] for each in receiver.got] == [alone]


async def test_what_an_evaluation_asks_is_not_told_of(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending
) -> None:
    await ends(idempotency_key=new_id(EVALUATION_MESSAGE))
    usual = await ends(idempotency_key="order-7")
    await whole_round(told.round())
    assert [each.event["data"]["id"] for each in receiver.got] == [usual]


async def test_a_refusal_is_tried_again_by_the_schedule_and_given_up_with_a_reason(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending, clock: ManualClock
) -> None:
    await ends()
    receiver.statuses.extend((500, 503, 404))
    a_round = told.round()
    await whole_round(a_round)
    (waiting,) = await told.deliveries()
    assert (waiting.state, waiting.reason) == (DeliveryState.PENDING, "It answered 500.")
    assert waiting.due_at is not None
    assert 10 <= (waiting.due_at - clock.now()).total_seconds() <= 12.5
    await whole_round(a_round)
    assert len(receiver.got) == 1, "it is not tried before it is due"
    for seconds in (16, 130, 100_000):
        clock.advance(seconds)
        await whole_round(a_round)
    assert len({each.id for each in receiver.got}) == 1
    assert len(receiver.got) == 3
    (given_up,) = await told.deliveries()
    assert given_up.state is DeliveryState.FAILED
    assert given_up.reason == "No try is left of its schedule. It answered 404."
    assert [each.status for each in given_up.log] == [500, 503, 404]


async def test_a_server_that_asks_for_a_pause_has_it_and_one_that_is_gone_is_left_alone(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending, clock: ManualClock
) -> None:
    await ends()
    receiver.statuses.append(429)
    receiver.headers = {"Retry-After": "600"}
    a_round = told.round()
    await whole_round(a_round)
    (waiting,) = await told.deliveries()
    assert waiting.due_at is not None
    assert (waiting.due_at - clock.now()).total_seconds() == 600
    clock.advance(601)
    receiver.statuses.append(410)
    await whole_round(a_round)
    (gone,) = await told.deliveries()
    assert (gone.state, gone.tries) == (DeliveryState.FAILED, 2)
    assert gone.reason == "It answered 410: it wants this no more."


async def test_what_was_given_up_is_delivered_again_under_the_same_id(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending, clock: ManualClock
) -> None:
    await ends()
    receiver.statuses.extend((410, 500))
    a_round = told.round()
    await whole_round(a_round)
    (failed,) = await told.deliveries()
    again = await told.log.redeliver(failed.id, tenant_id=told.tenant.id)
    assert again.state is DeliveryState.PENDING
    for seconds in (16, 16):
        clock.advance(seconds)
        await whole_round(a_round)
    (delivered,) = await told.deliveries()
    assert (delivered.state, delivered.tries) == (DeliveryState.DELIVERED, 3)
    assert len({each.id for each in receiver.got}) == 1
    assert len(receiver.got) == 3


async def test_a_removed_endpoint_is_told_nothing_more(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending, clock: ManualClock
) -> None:
    await ends()
    receiver.statuses.append(500)
    a_round = told.round()
    await whole_round(a_round)
    (endpoint,) = await told.endpoints.list(told.tenant.id)
    await told.endpoints.remove(endpoint.id, tenant_id=told.tenant.id)
    await ends()
    clock.advance(1_000)
    await whole_round(a_round)
    assert len(receiver.got) == 1
    (given_up,) = await told.deliveries()
    assert (given_up.state, given_up.reason) == (
        DeliveryState.FAILED,
        "The endpoint was removed.",
    )


async def test_what_is_old_and_told_is_forgotten_and_what_is_not_told_is_not(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending, clock: ManualClock
) -> None:
    await ends()
    a_round = told.round()
    await whole_round(a_round)
    await ends()
    receiver.statuses.append(500)
    await whole_round(a_round)
    clock.advance(TO_LOOPBACK.retention_days * 86_400 + 1)
    deliveries = WebhookDeliveries(told.database, TO_LOOPBACK, clock, None)  # type: ignore[arg-type]
    (endpoint,) = await deliveries.waiting()
    await deliveries.claim(endpoint.id, claim_seconds=60, limit=1)
    await whole_round(a_round)
    (left,) = await told.deliveries()
    assert left.state is DeliveryState.PENDING
    assert len(await told.events()) == 1


async def test_nothing_goes_to_an_address_of_ours_and_the_log_says_why(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending
) -> None:
    await told.endpoint(receiver.url.replace("127.0.0.1", "localhost"))
    await ends()
    await whole_round(told.round(WebhookSettings(allow_http=True)))
    assert receiver.got == []
    by_number, by_name = sorted(str(each.reason) for each in await told.deliveries())
    assert "names no public address" in by_number
    assert "localhost is " in by_name
    assert "webhooks.allowed_networks" in by_name
