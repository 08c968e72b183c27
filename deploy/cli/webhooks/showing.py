"""How `forebay webhooks` shows endpoints and deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from deploy.cli.output import moment, say_json, say_rows, say_table

if TYPE_CHECKING:
    from shared.webhooks.delivery_log import LoggedDelivery
    from shared.webhooks.endpoints import WebhookEndpoint


def say_secret(endpoint: WebhookEndpoint, *, as_json: bool) -> None:
    """An endpoint with its newest secret, which no other command shows."""
    shown = plain(endpoint) | {"secret": endpoint.secrets[0]}
    if as_json:
        say_json(shown)
        return
    say_rows([[(name, str(shown[name])) for name in ("id", "url", "secret")]])


def plain(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """What anybody may see of it."""
    shown = {name: value for name, value in asdict(endpoint).items() if name != "secrets"}
    return shown | {"secrets_in_force": len(endpoint.secrets)}


def say_endpoints(found: Sequence[WebhookEndpoint], tenant: str) -> None:
    """A table of them."""
    rows = [
        (
            each.id,
            f"{each.created_at:%Y-%m-%d}",
            "all" if each.events is None else " ".join(each.events),
            len(each.secrets),
            each.url,
        )
        for each in found
    ]
    headings = ("id", "made", "events", "secrets", "url")
    say_table(headings, rows, empty=f"{tenant} has no webhook endpoints.")


def say_deliveries(found: Sequence[LoggedDelivery], tenant: str) -> None:
    """A table of them, each with why it is as it is."""
    rows = [
        (
            each.id,
            moment(each.created_at),
            each.type,
            each.about,
            each.endpoint_id,
            each.state,
            each.tries,
            _why(each),
        )
        for each in found
    ]
    headings = ("id", "made", "event", "about", "endpoint", "state", "tries", "why")
    say_table(headings, rows, empty=f"Nothing was to be told to {tenant}.")


def _why(delivery: LoggedDelivery) -> str:
    if delivery.due_at is not None and delivery.tries:
        return f"{delivery.reason or 'under way'} (again at {moment(delivery.due_at)})"
    return delivery.reason or ""
