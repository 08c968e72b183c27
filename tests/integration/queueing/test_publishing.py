"""Wake-ups reach the broker: all of them, in Celery's words, confirmed."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec
import pytest
from kombu import Connection, Exchange, Queue

from shared.errors import BrokerUnavailable
from shared.messages.lane import Lane
from shared.queueing.declaration import TopologyMismatch, declare_topology
from shared.queueing.publisher import Publisher, build_publisher
from shared.queueing.reading.bundle import unbundled
from shared.queueing.topology import QueueName, kombu_queue, lane_queue
from shared.settings.servers import BrokerSettings
from shared.telemetry.metrics import Metrics
from tests.integration.queueing.conftest import broker_at, eventually, wake_up
from tests.integration.queueing.queue_contents import body_of, drain, woken_by
from tests.servers.ports import free_port


async def test_two_thousand_messages_are_all_there_once(
    broker: BrokerSettings, publisher: Publisher
) -> None:
    sent = [wake_up(lane) for lane in (*Lane, Lane.STANDARD, Lane.STANDARD) for _ in range(400)]
    for number, each in enumerate(sent):
        publisher.submit(each)
        if number % 100 == 0:
            await asyncio.sleep(0)
    last = [wake_up(lane) for lane in Lane]
    await publisher.publish(last)
    sent += last
    read = {
        lane: await asyncio.to_thread(
            lambda lane=lane: Counter(
                each for message in drain(broker, lane_queue(lane)) for each in woken_by(message)
            )
        )
        for lane in Lane
    }
    for lane, found in read.items():
        assert found == Counter(each.message_id for each in sent if each.lane is lane)


async def test_what_waits_together_in_a_lane_is_one_message_on_rabbitmq(
    broker: BrokerSettings, publisher: Publisher
) -> None:
    sent = [wake_up(lane) for _ in range(20) for lane in (Lane.STANDARD, Lane.BATCH)]
    apart = [wake_up(Lane.STANDARD) for _ in range(2)]
    await publisher.publish(sent)
    await publisher.publish(apart, alone=True)
    for lane, lone in ((Lane.STANDARD, apart), (Lane.BATCH, [])):
        messages = await asyncio.to_thread(drain, broker, lane_queue(lane))
        ids = [each.message_id for each in sent if each.lane is lane]
        assert [each for message in messages for each in woken_by(message)] == [
            *ids,
            *(each.message_id for each in lone),
        ]
        sizes = [len(woken_by(message)) for message in messages]
        assert sizes == ([1] * 20 if broker.is_redis else [16, 4]) + [1] * len(lone)


async def test_a_bundle_says_of_each_what_its_own_message_would(
    broker: BrokerSettings, publisher: Publisher
) -> None:
    if broker.is_redis:
        pytest.skip("Redis carries each by itself")
    sent = [wake_up(Lane.STANDARD), msgspec.structs.replace(wake_up(), trace={})]
    await publisher.publish(sent)
    await publisher.publish(sent, alone=True)
    [bundle, *alone] = await asyncio.to_thread(drain, broker, lane_queue(Lane.STANDARD))
    tasks = unbundled(bundle.headers, bundle.body.encode())
    for message in alone:
        message.headers.pop("x-delivery-count", None)  # RabbitMQ's own
    assert [task.headers for task in tasks] == [message.headers for message in alone]
    assert [task.kwargs for task in tasks] == [body_of(message)[1] for message in alone]


async def test_a_message_speaks_celerys_protocol_2(
    broker: BrokerSettings, publisher: Publisher
) -> None:
    sent = wake_up(Lane.INTERACTIVE)
    await publisher.publish([sent])
    [message] = list(drain(broker, "agent.interactive"))
    args, kwargs, embed = body_of(message)
    assert args == []
    assert kwargs == {
        "message_id": sent.message_id,
        "lane": "interactive",
        "deadline": "2030-01-01T00:00:00Z",
    }
    assert embed == {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    assert message.headers["task"] == "forebay.answer"
    assert message.headers["id"] == message.headers["root_id"] == sent.message_id
    assert message.headers["traceparent"] == sent.trace["traceparent"]
    assert message.headers["timelimit"] == [None, None]
    assert sent.message_id not in message.headers["kwargsrepr"]
    assert message.properties["correlation_id"] == sent.message_id
    assert message.properties["delivery_mode"] == 2
    assert (message.content_type, message.content_encoding) == ("application/json", "utf-8")


async def test_closing_while_it_connects_ends_at_once(broker: BrokerSettings) -> None:
    for milliseconds in range(0, 60, 12):
        publisher = build_publisher(broker, Metrics())
        await publisher.start()
        await asyncio.sleep(milliseconds / 1000)
        async with asyncio.timeout(60):  # it would wait for the connection
            await publisher.close()


async def test_publishing_nothing_needs_no_broker() -> None:
    publisher = build_publisher(broker_at(f"amqp://127.0.0.1:{free_port()}"), Metrics())
    await publisher.publish([])


@pytest.mark.parametrize("scheme", ["amqp", "redis"])
async def test_without_a_broker_publishing_fails_in_time_and_submitting_never_raises(
    scheme: str,
) -> None:
    broker = broker_at(f"{scheme}://127.0.0.1:{free_port()}", publish_timeout_seconds=0.3)
    publisher = build_publisher(broker, Metrics())
    await publisher.start()
    publisher.submit(wake_up())
    async with asyncio.timeout(60):
        with pytest.raises(BrokerUnavailable):
            await publisher.publish([wake_up()])
    assert not publisher.healthy
    async with asyncio.timeout(60):
        await publisher.close()


async def test_a_deleted_queue_refuses_and_its_messages_become_dead_letters(amqp_url: str) -> None:
    broker = broker_at(amqp_url)
    publisher = build_publisher(broker, Metrics())
    await publisher.start()
    await eventually(lambda: publisher.healthy)
    with Connection(amqp_url) as connection, connection.channel() as channel:
        channel.queue_delete(QueueName.STANDARD)
    # The alternate exchange has it, so the broker is right to confirm.
    await publisher.publish([wake_up()])
    await publisher.close()
    assert len(drain(broker, "dead", least=1)) == 1


def test_declaring_twice_changes_nothing(broker: BrokerSettings) -> None:
    declare_topology(broker)
    with Connection(str(broker.url)) as connection, connection.channel() as channel:
        for name in QueueName:
            ready = kombu_queue(name, broker)(channel).queue_declare(passive=not broker.is_redis)
            assert ready.message_count == 0


def test_a_queue_of_other_arguments_is_named_with_its_fix(amqp_url: str) -> None:
    with Connection(amqp_url) as connection, connection.channel() as channel:
        Queue("agent.batch", Exchange("other"), routing_key="x")(channel).declare()
    with pytest.raises(TopologyMismatch, match=r"'agent\.batch'.*delete_queue agent\.batch"):
        declare_topology(broker_at(amqp_url))


def test_a_broker_that_is_away_is_said_in_time() -> None:
    broker = broker_at(f"amqp://127.0.0.1:{free_port()}", publish_timeout_seconds=0.5)
    with pytest.raises(BrokerUnavailable, match=r"127\.0\.0\.1"):
        declare_topology(broker)
