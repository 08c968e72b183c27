"""The queue `dead` keeps its letters on every RabbitMQ, and an old one is left as it is."""

from __future__ import annotations

import asyncio
from typing import Any

from kombu import Connection, Queue

from deploy.cli.check.broker import check_broker
from deploy.cli.check.dead_queue import policy_command
from deploy.cli.check.finding import CheckFinding, Level
from shared.queueing.broker_connection import connect_broker
from shared.queueing.declaration import declare_topology
from shared.queueing.topology import QueueName, dead_exchange, kombu_queue
from tests.integration.queueing.conftest import broker_at
from tests.integration.queueing.queue_contents import drain, put
from tests.servers.rabbitmq import RabbitServer

OLD = {"x-queue-type": "quorum"}


def declare_dead(url: str, arguments: dict[str, Any]) -> None:
    with Connection(url) as connection, connection.channel() as channel:
        Queue("dead", dead_exchange(), routing_key="dead", durable=True, queue_arguments=arguments)(
            channel
        ).declare()


def findings(url: str) -> list[CheckFinding]:
    return asyncio.run(check_broker(broker_at(url)))


def set_policy(rabbitmq: RabbitServer, url: str, pattern: str, limit: int) -> None:
    """What `rabbitmqctl set_policy` does; of two the one with the larger limit counts."""
    vhost = url.rpartition("/")[2]
    names = f'<<"{vhost}">>, <<"limit-{limit}">>, <<"{pattern}">>'
    words = f'{names}, [{{<<"delivery-limit">>, {limit}}}], {limit}, <<"queues">>, <<"test">>'
    rabbitmq.evaluate(f"rabbit_policy:set({words}).")


def test_a_new_queue_has_a_limit_that_is_none_on_every_rabbitmq(amqp_url: str) -> None:
    declare_topology(broker_at(amqp_url))
    # Declaring again with the same arguments is accepted, with any others refused.
    declare_dead(amqp_url, {**OLD, "x-delivery-limit": 1_000_000})
    said = [finding.sentence for finding in findings(amqp_url)]
    assert any("'dead'" in each and "keeps what it is given" in each for each in said)


def test_an_old_queue_keeps_its_arguments_and_its_letters(amqp_url: str) -> None:
    declare_dead(amqp_url, OLD)
    broker = broker_at(amqp_url)
    put(broker, "dead", "kept")
    declare_topology(broker)
    with connect_broker(broker) as connection, connection.channel() as channel:
        kombu_queue(QueueName.DEAD, broker)(channel).declare()
    assert [letter.body for letter in drain(broker, "dead", least=1)] == ["kept"]
    declare_dead(amqp_url, OLD)


def test_a_limit_that_would_drop_letters_is_found_and_its_command_named(
    rabbitmq: RabbitServer, amqp_url: str
) -> None:
    declare_dead(amqp_url, OLD)
    set_policy(rabbitmq, amqp_url, ".*", 20)  # what RabbitMQ 4 does where nothing is said
    (faulty,) = [each for each in findings(amqp_url) if each.level is Level.FAULT]
    assert policy_command(amqp_url.rpartition("/")[2]) in faulty.sentence
    set_policy(rabbitmq, amqp_url, r"^dead(\\.trial)?$", 1_000_000)
    assert Level.FAULT not in {each.level for each in findings(amqp_url)}


def test_the_limit_of_another_policy_counts_for_a_new_queue_too(
    rabbitmq: RabbitServer, amqp_url: str
) -> None:
    set_policy(rabbitmq, amqp_url, ".*", 20)
    (faulty,) = [each for each in findings(amqp_url) if each.level is Level.FAULT]
    assert "drops a letter of the queue 'dead'" in faulty.sentence


def test_a_queue_of_somebody_else_is_named(amqp_url: str) -> None:
    declare_dead(amqp_url, {})
    (faulty,) = [each for each in findings(amqp_url) if each.level is Level.FAULT]
    assert "'dead' was made by somebody else" in faulty.sentence
