"""The servers we stand on: broker, Redis and the ledger's database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec

from shared.settings.secret import ServerUrl
from shared.settings.server_faults import (
    BROKER_SCHEMES,
    LEDGER_SCHEMES,
    REDIS_SCHEMES,
    TlsSettings,
    unknown_scheme,
    unsound_address,
)
from shared.settings.units import Positive, PositiveInt


class BrokerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The queue: RabbitMQ (`amqp://`) or Redis (`redis://`)."""

    url: ServerUrl = ServerUrl("amqp://guest:guest@127.0.0.1:5672//")
    """RabbitMQ (`amqp://`, `amqps://`) or Redis (`redis://`, `rediss://`)."""
    publish_timeout_seconds: Positive = 3.0
    """After this a publish that is not confirmed has failed."""
    heartbeat_seconds: PositiveInt = 10
    """How often both ends of a connection say that they live."""
    delivery_limit: PositiveInt = 3
    """Deliveries of one wake-up after which RabbitMQ dead-letters it."""
    bundle_limit: Annotated[int, msgspec.Meta(ge=1, le=64)] = 16
    """On RabbitMQ: how many wake-ups of a lane one message may carry, of those that wait together.
    """
    visibility_timeout_seconds: PositiveInt = 3600
    """On Redis: how long a message may be unacknowledged before it is given to another worker."""
    tls: TlsSettings = TlsSettings()

    @property
    def is_redis(self) -> bool:
        return self.url.scheme in {"redis", "rediss"}

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        yield from unknown_scheme("broker.url", self.url, BROKER_SCHEMES)
        yield from unsound_address("broker", self.url, self.tls)


class RedisSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The store for limits, replies and caches. It may lose everything without losing a message."""

    url: ServerUrl = ServerUrl("redis://127.0.0.1:6379/0")
    """Redis or Valkey, `redis://` or `rediss://`."""
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=1.0)] = 0.5
    """For connecting and for every call; after it one does without Redis. What the whole fleet
    shares (admission, reservations, breakers, limits) waits 0.6 s at most, whatever is set here.
    """
    reply_ttl_seconds: PositiveInt = 3600
    """How long the events of a response can be read again after its last one."""
    tls: TlsSettings = TlsSettings()

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        yield from unknown_scheme("redis.url", self.url, REDIS_SCHEMES)
        yield from unsound_address("redis", self.url, self.tls)


class LedgerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The record: Postgres (`postgresql+psycopg://`) or SQLite (`sqlite+aiosqlite:///file`)."""

    url: ServerUrl = ServerUrl("postgresql+psycopg://forebay:forebay@127.0.0.1:5432/forebay")
    """Postgres (`postgresql+psycopg://`) or SQLite (`sqlite+aiosqlite:///file`)."""
    pool_size: PositiveInt = 4
    """Connections of each process, for durable and for other writes."""
    timeout_seconds: Positive = 5.0
    """For connecting and for every statement."""
    group_limit: PositiveInt = 256
    """Messages committed in one transaction at most."""
    wake_after_seconds: Positive = 15.0
    """How long an accepted message may stay unclaimed before it is published again."""
    wake_after_max_seconds: Positive = 600.0
    """The longest pause between two wake-ups of one message; it doubles up to here."""
    lease_seconds: Positive = 15.0
    """How long a worker may be silent before its turns go back to the queue."""
    attempt_limit: PositiveInt = 4
    """Claims of one message after which it is dead-lettered as poison."""
    sweep_seconds: Positive = 1.0
    """How often the maintenance loops look."""
    retention_days: PositiveInt = 30
    """How long ended messages, what callers put into conversations and dead letters are kept."""
    unstored_seconds: PositiveInt = 600
    """How long after its end the answer to a message with `store: false` can be fetched."""
    attempt_retention_days: PositiveInt = 400
    """How long it is kept what each call of a provider cost."""

    @property
    def is_sqlite(self) -> bool:
        return self.url.scheme.startswith("sqlite")

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        yield from unknown_scheme("ledger.url", self.url, LEDGER_SCHEMES)
