"""kombu connections that never wait for ever."""

from __future__ import annotations

from typing import Any

from kombu import Connection

from shared.queueing.broker_address import BrokerAddress
from shared.settings.servers import BrokerSettings

REDIS_TRANSPORT = "shared.queueing.redis_lists.transport:GuardedTransport"
AMQP_TRANSPORT = "shared.queueing.amqp.transport:AmqpTransport"


def connect_broker(
    broker: BrokerSettings,
    *,
    patience_seconds: float = 5.0,
    heartbeat_seconds: int | None = None,
    **options: Any,
) -> Connection:
    """A lazy connection whose every read, write and handshake is bounded by `patience_seconds`.

    `options` are added to the transport's. What lies in a Redis list cannot break its reader.
    Raises SettingsError for an address that cannot be read.
    """
    address = BrokerAddress.of(broker)
    heartbeat = broker.heartbeat_seconds if heartbeat_seconds is None else heartbeat_seconds
    return Connection(
        # The parts, not the URL: with a transport named, kombu does not look at a URL's scheme.
        address.host,
        userid=address.user or None,
        password=address.password or None,
        port=address.port,
        virtual_host=address.virtual_host,
        ssl=address.kombu_ssl,
        transport=REDIS_TRANSPORT if broker.is_redis else AMQP_TRANSPORT,
        connect_timeout=patience_seconds,
        heartbeat=heartbeat,
        transport_options=transport_options(broker, patience_seconds=patience_seconds) | options,
    )


def dial(connection: Connection) -> None:
    """Opens it now: two quick tries; raises one of its `connection_errors`.

    Without this kombu connects by itself on first use, and sleeps two seconds before its retry.
    """
    connection.ensure_connection(
        max_retries=1, interval_start=0, interval_step=0, reraise_as_library_errors=False
    )


def transport_options(broker: BrokerSettings, *, patience_seconds: float) -> dict[str, Any]:
    """What kombu hands to its transport; shared by our connections and the Celery app."""
    if broker.is_redis:
        return {
            "visibility_timeout": broker.visibility_timeout_seconds,
            # Together: abandoned messages are looked for every second instead of every 100.
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            # Who is killed while looking leaves its lock; kombu's own would stand for 300 seconds.
            "unacked_mutex_expire": 5,
            "socket_timeout": patience_seconds,
            "socket_connect_timeout": patience_seconds,
            "socket_keepalive": True,
            "health_check_interval": broker.heartbeat_seconds,
        }
    return {
        "confirm_publish": True,
        "connect_timeout": patience_seconds,
        "read_timeout": patience_seconds,
        "write_timeout": patience_seconds,
    }
