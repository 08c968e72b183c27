"""The RabbitMQ of the tests does what they rely on; it takes long to start."""

from __future__ import annotations

import amqp

from tests.integration.servers.orphans import ends_with_its_tests
from tests.servers.rabbitmq import RabbitServer


def test_it_keeps_a_durable_queue_over_a_kill(mortal_rabbitmq: RabbitServer) -> None:
    with amqp.Connection(f"127.0.0.1:{mortal_rabbitmq.port}") as connection:
        connection.channel().queue_declare("kept", durable=True, auto_delete=False)
    mortal_rabbitmq.kill()
    mortal_rabbitmq.start()
    with amqp.Connection(f"127.0.0.1:{mortal_rabbitmq.port}") as connection:
        connection.channel().queue_declare("kept", passive=True)


def test_it_does_not_outlive_tests_that_were_killed() -> None:
    ends_with_its_tests("rabbitmq", "RabbitServer")
