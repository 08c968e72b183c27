"""Declaring the topology: idempotent, bounded in time, clear about what stands in the way."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Final

from amqp.exceptions import PreconditionFailed
from kombu import Connection, Exchange, Queue

from shared.errors import BrokerUnavailable, ForebayError
from shared.queueing.broker_connection import connect_broker, dial
from shared.queueing.refusal import why_broker_refuses
from shared.queueing.topology import QueueName, kombu_queues, main_exchange, unrouted_exchange
from shared.settings.servers import BrokerSettings
from shared.telemetry.logs import get_logger

Declarable = Queue | Exchange
_AGAIN_SECONDS: Final = 2.0


class TopologyMismatch(ForebayError):
    """A queue or exchange of this name exists with other arguments; RabbitMQ cannot change them."""

    code: ClassVar[str] = "topology_mismatch"


def declare_topology(broker: BrokerSettings) -> None:
    """Creates every queue and exchange that is missing; on Redis only sees whether it answers.

    Raises TopologyMismatch naming what exists differently and the fix, and BrokerUnavailable when
    the broker refuses, or does not answer within `publish_timeout_seconds` (each step waits no
    longer); its message says which, and the fix.
    """
    connection = connect_broker(broker, patience_seconds=broker.publish_timeout_seconds)
    is_in = False
    try:
        dial(connection)
        is_in = True
        _declare(connection, broker)
    except (*connection.connection_errors, *connection.channel_errors) as error:
        raise BrokerUnavailable(why_broker_refuses(error, broker, is_in=is_in)) from error
    finally:
        connection.release()


async def declared_at_last(broker: BrokerSettings) -> None:
    """Returns once it is declared, however long the broker is away; each refusal is logged."""
    while True:
        try:
            await asyncio.to_thread(declare_topology, broker)
        except ForebayError as error:
            # Messages are accepted meanwhile; the reconciler publishes what was not.
            get_logger(__name__).warning(
                "queues not declared", code=error.code, reason=error.message
            )
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            return


def _declare(connection: Connection, broker: BrokerSettings) -> None:
    if broker.is_redis:
        return
    # The alternate exchange first: `forebay` must never lose what it cannot route.
    unrouted = unrouted_exchange()
    queues = kombu_queues(broker)
    entities: list[Declarable] = [unrouted, main_exchange(), *queues]
    for entity in entities:
        _declare_one(connection, entity)
    with connection.channel() as channel:
        dead = next(queue for queue in queues if queue.name == QueueName.DEAD)
        dead(channel).bind_to(unrouted)


def _declare_one(connection: Connection, entity: Declarable) -> None:
    kind = "queue" if isinstance(entity, Queue) else "exchange"
    # A refusal closes its channel, so each has its own.
    try:
        with connection.channel() as channel:
            entity(channel).declare()
    except PreconditionFailed as error:
        raise TopologyMismatch(
            f"The {kind} '{entity.name}' exists with other arguments: {error.reply_text}. "
            f"Stop what uses it, delete it (rabbitmqctl delete_queue {entity.name}, or the "
            "management page) and start again; accepted messages are in the ledger and are "
            "published again. Or give Forebay a virtual host of its own in broker.url."
        ) from error
