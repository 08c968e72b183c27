"""The sinks that the settings list, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from shared.clock import Clock
from shared.settings.watching.alert_sinks import AlertSinkKind, AlertSinkSettings
from shared.settings.watching.alerts import AlertSettings
from shared.settings.webhooks import WebhookSettings
from shared.webhooks.address_guard import AddressGuard
from workers.alerting.sinks.commanded import CommandSink
from workers.alerting.sinks.mailed import MailSink
from workers.alerting.sinks.posted import SlackSink, WebhookSink
from workers.alerting.sinks.sink import AlertSink
from workers.webhooks.guarded_post import GuardedPost


def open_sinks(settings: AlertSettings, clock: Clock) -> dict[str, AlertSink]:
    """Each with its secrets in place; nothing connects before something is sent."""
    return {each.name: _OPENING[each.kind](each, settings, clock) for each in settings.sinks}


def _guarded(sink: AlertSinkSettings, settings: AlertSettings) -> GuardedPost:
    allowed = WebhookSettings(
        allow_http=settings.allow_http, allowed_networks=settings.allowed_networks
    )
    guard = AddressGuard(allowed, section="alerts")
    return GuardedPost(guard, timeout_seconds=sink.timeout_seconds)


def _webhook(sink: AlertSinkSettings, settings: AlertSettings, clock: Clock) -> AlertSink:
    return WebhookSink(sink, _guarded(sink, settings), clock)


def _slack(sink: AlertSinkSettings, settings: AlertSettings, _: Clock) -> AlertSink:
    return SlackSink(sink, _guarded(sink, settings))


_OPENING: Final[
    Mapping[AlertSinkKind, Callable[[AlertSinkSettings, AlertSettings, Clock], AlertSink]]
] = MappingProxyType(
    {
        AlertSinkKind.WEBHOOK: _webhook,
        AlertSinkKind.SLACK: _slack,
        AlertSinkKind.EMAIL: lambda sink, _, __: MailSink(sink),
        AlertSinkKind.COMMAND: lambda sink, _, __: CommandSink(sink),
    }
)
