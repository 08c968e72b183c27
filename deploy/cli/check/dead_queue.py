"""Does the queue `dead` keep a letter, however often its readers lose their connection?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from amqp.exceptions import PreconditionFailed
from kombu import Connection, Consumer, Exchange, Producer, Queue

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from shared.errors import BrokerUnavailable
from shared.queueing.broker_connection import connect_broker, dial
from shared.queueing.refusal import why_broker_refuses
from shared.queueing.topology import (
    DEAD_ARGUMENTS,
    DEAD_DELIVERY_LIMIT,
    OLD_DEAD_ARGUMENTS,
    QueueName,
)
from shared.settings.servers import BrokerSettings

TRIAL_QUEUE: Final = f"{QueueName.DEAD.value}.trial"
DELIVERIES: Final = 25
"""RabbitMQ 4 drops a message after 20 where nothing else is said."""
_PATIENCE_SECONDS: Final = 0.5


def check_dead_queue(broker: BrokerSettings) -> CheckFinding:
    """Returns one letter of ours again and again to a queue made as `dead` was, and removes it.

    What counts is the smaller one of the queue's own limit and its policy's, and neither can be
    asked for over AMQP. Blocking; raises BrokerUnavailable.
    """
    # No heartbeat: kombu begins to wait anew with each one that comes.
    connection = connect_broker(
        broker, patience_seconds=broker.publish_timeout_seconds, heartbeat_seconds=0
    )
    try:
        dial(connection)
        arguments = _arguments_of_dead(connection)
        if arguments is None:
            return _foreign()
        keeps = _keeps(connection, arguments)
        version = str(connection.connection.server_properties.get("version", "0"))
    except (*connection.connection_errors, *connection.channel_errors) as error:
        raise BrokerUnavailable(why_broker_refuses(error, broker, is_in=True)) from error
    finally:
        connection.release()
    if not keeps:
        return _drops(version, connection.virtual_host)
    if arguments == OLD_DEAD_ARGUMENTS and version.startswith("3."):
        return hint(
            "broker",
            "The queue 'dead' was made without a delivery limit, and RabbitMQ 4 would drop its "
            f"letters after 20 deliveries. Before you move to it, type: "
            f"{policy_command(connection.virtual_host)}",
        )
    return fine("broker", f"The queue 'dead' of RabbitMQ {version} keeps what it is given.")


def policy_command(virtual_host: str) -> str:
    """What gives an old `dead`, and the queue it is tried with, the limit of a new one."""
    return (
        f"rabbitmqctl set_policy --vhost '{virtual_host}' --priority 100 --apply-to queues "
        f"forebay-dead '^dead(\\.trial)?$' '{{\"delivery-limit\":{DEAD_DELIVERY_LIMIT}}}'"
    )


def _drops(version: str, virtual_host: str) -> CheckFinding:
    return fault(
        "broker",
        f"RabbitMQ {version} drops a letter of the queue 'dead' after fewer than {DELIVERIES} "
        "deliveries, by its default for a queue without a limit of its own or by a policy. Type: "
        f"{policy_command(virtual_host)}",
    )


def _foreign() -> CheckFinding:
    return fault(
        "broker",
        "The queue 'dead' was made by somebody else: it is no quorum queue, or has other "
        "arguments. Empty it (forebay worker does), stop what uses it, delete it with "
        "rabbitmqctl delete_queue dead, and check again.",
    )


def _arguments_of_dead(connection: Connection) -> Mapping[str, Any] | None:
    """Its arguments, new or old; None where they are neither. It must be there already."""
    for arguments in (DEAD_ARGUMENTS, OLD_DEAD_ARGUMENTS):
        try:
            with connection.channel() as channel:
                _quorum_queue(QueueName.DEAD.value, arguments)(channel).queue_declare()
        except PreconditionFailed:
            continue
        return arguments
    return None


def _keeps(connection: Connection, arguments: Mapping[str, Any]) -> bool:
    with connection.channel() as channel:
        trial = _quorum_queue(TRIAL_QUEUE, arguments)(channel)
        trial.delete()
        trial.declare()
        try:
            Producer(channel).publish(b"", routing_key=TRIAL_QUEUE, retry=False)
            with Consumer(channel, [trial], on_message=lambda letter: letter.requeue()):
                for _ in range(DELIVERIES):
                    connection.drain_events(timeout=_PATIENCE_SECONDS)
        except TimeoutError:
            return False
        finally:
            trial.delete()
    return True


def _quorum_queue(name: str, arguments: Mapping[str, Any]) -> Queue:
    return Queue(name, Exchange(""), routing_key=name, queue_arguments=dict(arguments))
