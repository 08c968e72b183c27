"""Alerts: how often is looked, what is looked at, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated, Any

import msgspec

from shared.settings.units import NotNegative, Positive, PositiveInt
from shared.settings.watching.alert_rules import rule_faults
from shared.settings.watching.alert_sinks import AlertSinkSettings
from shared.settings.watching.built_in_alerts import BUILT_IN_RULES


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One worker looks at every rule once in a while, and tells the sinks what has changed."""

    enabled: bool = True
    """Look at all."""
    every_seconds: Positive = 15.0
    """Between two looks."""
    group_seconds: NotNegative = 30.0
    """What changes within so long is one message."""
    remind_seconds: Positive = 14_400.0
    """An alert that goes on firing is told again after so long, unless somebody acknowledged it."""
    resolve_after_seconds: NotNegative = 600.0
    """An alert resolves once its rule has not held for so long."""
    flapping_seconds: NotNegative = 3_600.0
    """One that fires again within so long after it was told to be over is taken to flap: it is told
    of once in this time at most, and resolves only after so long.
    """
    no_data_seconds: Positive = 3_600.0
    """A firing alert whose figure cannot be read any more resolves after so long; one that had
    nothing to say, such as a rate without traffic, after `resolve_after_seconds`.
    """
    retention_days: PositiveInt = 90
    """How long the history of alerts is kept."""
    retry_seconds: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=86_400)], ...], msgspec.Meta(max_length=20)
    ] = (5, 15, 60, 300, 900, 1_800, 3_600, 7_200)
    """The waits between tries of one message at one sink; after the last it is given up, which
    `forebay alerts list` and the log say.
    """
    daily_budget: Decimal | None = None
    """US dollars that all tenants together are to spend in a day, in UTC: nothing is refused for
    it, and alerts say how far it is spent.
    """
    deadline_objective: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.99
    """The share of messages that are to be answered before their deadline."""
    latency_objective_seconds: Positive = 10.0
    """How long nineteen of twenty interactive messages may take."""
    allow_http: bool = False
    """Let sinks have addresses that begin with http:// too."""
    allowed_networks: tuple[str, ...] = ()
    """Networks of your own that sinks may be in, such as 10.1.0.0/16; tenants' webhooks have their
    own list.
    """
    rules: dict[str, Any] = {}
    """A table for each rule that is changed or added: `[alerts.rules.NAME]`."""
    sinks: tuple[AlertSinkSettings, ...] = ()
    """Who is told: one `[[alerts.sinks]]` for each."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        yield from rule_faults(self.rules, known=BUILT_IN_RULES)
        names = [sink.name for sink in self.sinks]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"alerts.sinks: two are named '{name}'. Give each its own name."
        for sink in self.sinks:
            yield from sink.faults()
            if sink.url is not None and not self.allow_http and sink.url.startswith("http://"):
                yield (
                    f"alerts.sinks: the url of '{sink.name}' does not begin with https://. Write "
                    "one that does, or set alerts.allow_http."
                )
        for network in self.allowed_networks:
            try:
                ip_network(network)
            except ValueError as error:
                yield (
                    f"alerts.allowed_networks holds '{network}': {error}. "
                    "Write networks such as 10.1.0.0/16 or fd00::/8."
                )
        if self.daily_budget is not None and not 0 < self.daily_budget <= 1_000_000_000:
            yield f"alerts.daily_budget = {self.daily_budget}: is no amount. Set dollars above 0."
