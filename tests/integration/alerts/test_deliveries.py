"""What a sink that hangs, refuses or is gone does to messages, and to other sinks."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from shared.webhooks.tables import DeliveryState
from tests.integration.webhooks.receiver import WebhookReceiver, received

from .conftest import ON_SQLITE, WatchedLedger, send_round, told_to, webhook_sink


@ON_SQLITE
async def test_a_sink_that_hangs_delays_no_other_and_loses_nothing(
    watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    async with received() as hanging:
        hanging.is_open.clear()
        settings = told_to(
            webhook_sink(hanging.url, "hangs", timeout_seconds=600.0),
            webhook_sink(receiver.url, "works"),
            retry_seconds=(10,),
        )
        watched.figures.values = {"ten_1": 20.0}
        await watched.rounds(watched.leader(settings), seconds=60)
        sending = watched.sending(settings)
        await sending()
        async with asyncio.timeout(60):
            while not (receiver.got and hanging.got):  # noqa: ASYNC110 - a task takes it
                await asyncio.sleep(0.01)
        await sending.close()
        assert (await watched.deliveries())["hangs"] == (DeliveryState.PENDING, 1)
        hanging.is_open.set()
        watched.clock.advance(60)
        await send_round(watched.sending(settings))
        ids = {got.id for got in (*hanging.got, *receiver.got)}
        assert len(ids) == 1
        assert (await watched.deliveries())["hangs"] == (DeliveryState.DELIVERED, 2)


@ON_SQLITE
async def test_a_sink_that_leads_elsewhere_is_not_followed_and_its_answer_is_kept(
    watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    async with received() as elsewhere:
        receiver.statuses.append(307)
        receiver.headers = {"Location": elsewhere.url}
        settings = told_to(webhook_sink(receiver.url))
        watched.figures.values = {"ten_1": 20.0}
        await watched.rounds(watched.leader(settings), seconds=60)
        await send_round(watched.sending(settings))
        assert elsewhere.got == []
    (kept,) = (await watched.catalogue.standing([])).undelivered
    assert (kept.state, kept.reason) == (
        DeliveryState.PENDING,
        "It answered 307: redirects are not followed. Name the address they lead to.",
    )


@ON_SQLITE
async def test_that_a_sink_did_not_answer_is_kept(
    watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    receiver.is_open.clear()
    settings = told_to(webhook_sink(receiver.url, timeout_seconds=0.2), retry_seconds=())
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(watched.leader(settings), seconds=60)
    await send_round(watched.sending(settings))
    (kept,) = (await watched.catalogue.standing([])).undelivered
    told = "No try is left of its schedule. It did not answer within 0.2 s."
    assert (kept.state, kept.reason) == (DeliveryState.FAILED, told)


async def test_a_sink_that_refuses_is_tried_again_and_then_given_up_and_said(
    watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    settings = told_to(webhook_sink(receiver.url), retry_seconds=(10, 100))
    receiver.statuses.extend([503, 404, 500])
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(watched.leader(settings), seconds=60)
    sending = watched.sending(settings)
    for wait in (0, 11, 101, 1_000):
        watched.clock.advance(wait)
        await send_round(sending)
    assert [got.id for got in receiver.got] == [receiver.got[0].id] * 3
    (undelivered,) = (await watched.catalogue.standing([])).undelivered
    assert undelivered.state is DeliveryState.FAILED
    assert undelivered.reason == "No try is left of its schedule. It answered 500."


@ON_SQLITE
async def test_what_waits_for_a_sink_that_was_removed_is_given_up(
    watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(watched.leader(told_to(webhook_sink(receiver.url))), seconds=60)
    await send_round(watched.sending(told_to()))
    assert (await watched.deliveries())["ops"] == (DeliveryState.FAILED, 1)
    assert receiver.got == []


@ON_SQLITE
async def test_a_clock_that_jumps_ahead_and_back_delays_no_message(
    watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    settings = told_to(webhook_sink(receiver.url))
    watched.figures.values = {"ten_1": 20.0}
    watched.clock.jump(timedelta(days=1))
    await watched.rounds(watched.leader(settings), seconds=60)
    watched.clock.jump(timedelta(days=-1))
    receiver.statuses.append(503)
    await send_round(watched.sending(settings))
    watched.clock.jump(timedelta(days=-1))
    await send_round(watched.sending(settings))
    assert (await watched.deliveries())["ops"] == (DeliveryState.DELIVERED, 2)
