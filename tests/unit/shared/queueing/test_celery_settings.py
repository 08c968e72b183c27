"""The switches that a default would get wrong, each the reason for a fault seen in practice."""

from __future__ import annotations

import pytest
from celery.backends.base import DisabledBackend

from shared.queueing.celery_app import build_celery_app, unique_node_name
from shared.queueing.topology import QueueName
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings
from shared.settings.settings import Settings

RABBITMQ = Settings(broker=BrokerSettings(url=ServerUrl("amqp://127.0.0.1")))
REDIS = Settings(broker=BrokerSettings(url=ServerUrl("redis://127.0.0.1")))


@pytest.mark.parametrize("settings", [RABBITMQ, REDIS], ids=["rabbitmq", "redis"])
def test_no_message_is_acknowledged_before_its_turn_ended(settings: Settings) -> None:
    conf = build_celery_app(settings, name="test").conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost


def test_nothing_but_json_is_read() -> None:
    conf = build_celery_app(RABBITMQ, name="test").conf
    assert conf.accept_content == ["json"]
    assert conf.result_accept_content == ["json"]


def test_no_result_is_kept_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "redis://127.0.0.1:1/0")
    app = build_celery_app(RABBITMQ, name="test")
    assert isinstance(app.backend, DisabledBackend)
    assert app.conf.task_ignore_result


def test_a_misspelt_queue_is_an_error() -> None:
    app = build_celery_app(RABBITMQ, name="test")
    with pytest.raises(KeyError):
        app.amqp.queues["agent.fast"]
    assert set(app.amqp.queues) == set(QueueName)


def test_redis_gives_no_running_message_to_a_second_worker() -> None:
    conf = build_celery_app(REDIS, name="test").conf
    options = conf.broker_transport_options
    assert options["visibility_timeout"] >= 2 * conf.task_time_limit
    assert (options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (1, 1)
    assert options["socket_timeout"] == options["socket_connect_timeout"] == 5.0


def test_no_wait_for_rabbitmq_is_endless() -> None:
    conf = build_celery_app(RABBITMQ, name="test").conf
    options = conf.broker_transport_options
    assert options["read_timeout"] == options["write_timeout"] == 5.0
    assert conf.broker_heartbeat == 10
    assert conf.broker_connection_max_retries is None


def test_two_workers_never_share_a_name() -> None:
    assert len({unique_node_name("agent") for _ in range(100)}) == 100


def test_quorum_queues_are_declared_alike_by_everybody() -> None:
    queues = build_celery_app(RABBITMQ, name="test").amqp.queues
    for name in QueueName:
        assert queues[name].queue_arguments["x-queue-type"] == "quorum"
    assert queues["agent.batch"].queue_arguments["x-delivery-limit"] == 3
    assert queues["agent.batch"].exchange.name == "forebay"
