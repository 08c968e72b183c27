"""Why the broker does not serve us, and what a person can do about it."""

from __future__ import annotations

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed

from shared.queueing.broker_address import BrokerAddress
from shared.redis.refusal import causes, why_redis_refuses
from shared.settings.servers import BrokerSettings


def why_broker_refuses(error: BaseException, broker: BrokerSettings, *, is_in: bool) -> str:
    """One sentence with the fix. `is_in`: the connection stood, and something on it was refused."""
    server = f"The broker at {broker.url.redacted}"
    if broker.is_redis:
        return f"{server} {why_redis_refuses(error, section='broker')}."
    address = BrokerAddress.of(broker)
    for each in causes(error):
        if isinstance(each, AccessRefused):
            return f"{server} {_access(each, address, is_in=is_in)}."
        if isinstance(each, NotAllowed):
            return (
                f"{server} does not let user '{address.user}' into the virtual host "
                f"'{address.virtual_host}' ({_said(each)}): make it (rabbitmqctl add_vhost), grant "
                "it (rabbitmqctl set_permissions), or name another in broker.url."
            )
        if isinstance(each, AMQPError) and is_in:
            return f"{server} cannot be set up ({_said(each)}): its log says more."
    # Silence and certificates are the same for every server.
    return f"{server} {why_redis_refuses(error, section='broker')}."


def _access(error: AccessRefused, address: BrokerAddress, *, is_in: bool) -> str:
    if is_in:
        return (
            f"does not allow user '{address.user}' what we need ({_said(error)}): grant "
            "configure, write and read as docs/operating.md lists under Least privilege"
        )
    return (
        f"does not know user '{address.user}' or its password ({_said(error)}): mend them in "
        "broker.url"
    )


def _said(error: AMQPError) -> str:
    return str(error.reply_text or error).strip().rstrip(".")
