"""A Redis as broker, listeners to it, and a look inside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kombu.transport.redis import Transport
from redis import Redis

from shared.settings.servers import BrokerSettings
from tests.integration.queueing.conftest import broker_at
from tests.integration.redis_lists.listener import QUEUE, Listen, Listener


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel closes as soon as its reader comes back from listening."""
    monkeypatch.setattr(Transport, "brpop_timeout", 0.1)


@pytest.fixture
def broker(redis_url: str) -> BrokerSettings:
    """An empty database as the broker."""
    return broker_at(redis_url)


@pytest.fixture
def lists(broker: BrokerSettings) -> Iterator[Redis]:
    """A look at what lies there."""
    with Redis.from_url(str(broker.url)) as client:
        yield client


@pytest.fixture
def listen(broker: BrokerSettings) -> Iterator[Listen]:
    """Starts listeners, which leave with the test."""
    listeners = []

    def start(*queues: str, prefetch: int = 0) -> Listener:
        listeners.append(Listener.guarded(broker, *queues or (QUEUE,), prefetch=prefetch))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.leave()
