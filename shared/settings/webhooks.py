"""Webhooks: where they may go, how long is waited, and how often it is tried."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Final

import msgspec

from shared.settings.units import Positive, PositiveInt

_DAY_SECONDS: Final = 86_400


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What workers send to tenants' own servers when something has ended."""

    allow_http: bool = False
    """Take addresses that begin with http:// too: what is sent can be read on the way then."""
    allowed_networks: tuple[str, ...] = ()
    """Networks of your own that webhooks may go to, such as 10.1.0.0/16. Without, an address goes
    where the whole internet can: not to loopback, private, link-local or reserved ones.
    """
    timeout_seconds: Positive = 10.0
    """For one delivery: resolving, connecting, sending, and the status of the answer."""
    retry_seconds: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=604_800)], ...], msgspec.Meta(max_length=20)
    ] = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
    """The waits between tries of one delivery, each up to a quarter longer by chance; after the
    last it is given up.
    """
    retention_days: PositiveInt = 14
    """How long events and the log of their deliveries are kept."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        for network in self.allowed_networks:
            try:
                ip_network(network)
            except ValueError as error:
                yield (
                    f"webhooks.allowed_networks holds '{network}': {error}. "
                    "Write networks such as 10.1.0.0/16 or fd00::/8."
                )
        days = sum(self.retry_seconds) * 1.25 / _DAY_SECONDS
        if self.retention_days < days:
            yield (
                f"webhooks.retention_days = {self.retention_days}: webhooks.retry_seconds may take "
                f"{days:.1f} days. Keep events longer, or try less often."
            )
