"""`forebay webhooks`: whom to tell that something has ended, and whether it was told."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number

from deploy.cli.keys import duration
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import complain, say, say_json, say_rows
from deploy.cli.webhooks import asking
from deploy.cli.webhooks.showing import plain, say_deliveries, say_endpoints, say_secret
from shared.errors import InvalidRequest, use_one_of
from shared.persistence.ledger.settlement.event_tables import EventType
from shared.webhooks.tables import DeliveryState

EndpointId = Annotated[str, Parameter(help="Its id, as `forebay webhooks list` shows it.")]
Owner = Annotated[
    str, Parameter(help="Name of the tenant whose it is, as `forebay tenants list` shows it.")
]

webhooks = App(
    name="webhooks", help="Webhooks: endpoints of tenants, what they were told, and again."
)


@webhooks.command
def add(
    url: str,
    /,
    *,
    tenant: Owner,
    event: tuple[str, ...] = (),
    as_json: AsJson = False,
) -> None:
    """Tell a server when something of the tenant has ended. Its secret is shown this once.

    Workers know of it within seconds: what ends before is not told.

    Parameters
    ----------
    url
        Where to send it, such as https://example.com/webhooks.
    event
        A type of event to send, such as response.completed; may be repeated. Without, all.
    """
    say_secret(asyncio.run(asking.add_endpoint(tenant, url, _types(event))), as_json=as_json)


@webhooks.command(name="list")
def list_endpoints(*, tenant: Owner, as_json: AsJson = False) -> None:
    """Show a tenant's endpoints, without their secrets."""
    found = asyncio.run(asking.list_endpoints(tenant))
    if as_json:
        say_json([plain(each) for each in found])
        return
    say_endpoints(found, tenant)


@webhooks.command
def remove(endpoint_id: EndpointId, /, *, tenant: Owner, as_json: AsJson = False) -> None:
    """Tell an endpoint nothing more; what was not delivered to it is given up."""
    asyncio.run(asking.remove_endpoint(endpoint_id, tenant))
    if as_json:
        say_json({"id": endpoint_id, "removed": True})
    else:
        say(f"Removed: {endpoint_id}.")


@webhooks.command
def rotate(
    endpoint_id: EndpointId,
    /,
    *,
    tenant: Owner,
    overlap: Annotated[str, Parameter(help="How long the old secret signs beside it.")] = "24h",
    as_json: AsJson = False,
) -> None:
    """Give an endpoint a new secret and show it, this once; both sign until the old one is over."""
    say_secret(asyncio.run(asking.rotate(endpoint_id, tenant, duration(overlap))), as_json=as_json)


@webhooks.command
def deliveries(
    *,
    tenant: Owner,
    state: DeliveryState | None = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """Show what a tenant's endpoints were told, the newest first; with --json each try of it.

    Parameters
    ----------
    state
        Show those in this state only: pending, delivered or failed.
    """
    found = asyncio.run(asking.deliveries(tenant, state, limit))
    if as_json:
        say_json(found)
        return
    say_deliveries(found, tenant)


@webhooks.command
def redeliver(delivery_id: str, /, *, tenant: Owner, as_json: AsJson = False) -> None:
    """Deliver something again, under the same webhook-id, with its schedule from the start.

    Parameters
    ----------
    delivery_id
        Its id, as `forebay webhooks deliveries` shows it.
    """
    again = asyncio.run(asking.redeliver(delivery_id, tenant))
    if as_json:
        say_json(again)
    else:
        say(f"Due again: {again.id}.")


@webhooks.command(name="test")
def send_test(
    endpoint_id: EndpointId,
    /,
    *,
    tenant: Owner,
    wait: Annotated[
        float,
        Parameter(help="Seconds to wait for its end.", validator=Number(gte=0, lte=3_600)),
    ] = 30.0,
    as_json: AsJson = False,
) -> int:
    """Send a `webhook.test` to one endpoint, by a worker, and show what came of the first try."""
    found = asyncio.run(asking.send_test(endpoint_id, tenant, wait))
    if as_json:
        say_json(found)
    else:
        shown = {"delivery": found.id, "state": found.state, "tries": str(found.tries)}
        say_rows([[*shown.items(), ("why", found.reason or "")]])
    if not found.tries:
        complain("No worker has tried it yet. See: forebay webhooks deliveries")
    return 0 if found.state is DeliveryState.DELIVERED else 1


def _types(names: tuple[str, ...]) -> tuple[EventType, ...]:
    known = [each for each in EventType if each is not EventType.TEST]
    for name in names:
        if name not in known:
            raise InvalidRequest(f"--event cannot be '{name}'. {use_one_of(known)}.")
    return tuple(map(EventType, names))
