"""Webhooks: signed as Standard Webhooks has it, or in the shape that Slack takes."""

from __future__ import annotations

import msgspec

from shared.alerts.telling.deliveries import SinkOutcome
from shared.alerts.telling.message import AlertMessage
from shared.clock import Clock
from shared.settings.watching.alert_sinks import AlertSinkSettings
from shared.webhooks.signing import signed_headers
from workers.webhooks.guarded_post import GuardedPost, PostOutcome


class WebhookSink:
    """Signs with every secret that is in force; the `webhook-id` is the message's at every try, so
    that a receiver knows one that comes twice."""

    def __init__(self, settings: AlertSinkSettings, post: GuardedPost, clock: Clock) -> None:
        self._url = str(settings.url)
        self._secrets = [secret.reveal() for secret in settings.secrets]
        self._post = post
        self._clock = clock

    async def send(self, message: AlertMessage, body: bytes) -> SinkOutcome:
        outcome = await self._post.send(
            self._url,
            body,
            lambda: signed_headers(
                self._secrets, event_id=message.id, at=self._clock.now(), body=body
            ),
        )
        return _told(outcome)


class SlackSink:
    """Slack's incoming webhooks, and whatever takes their `text`."""

    def __init__(self, settings: AlertSinkSettings, post: GuardedPost) -> None:
        self._url = str(settings.url)
        self._post = post

    async def send(self, message: AlertMessage, _body: bytes) -> SinkOutcome:
        text = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return _told(await self._post.send(self._url, msgspec.json.encode({"text": text})))


def _told(outcome: PostOutcome) -> SinkOutcome:
    return SinkOutcome(error=outcome.error, wait_seconds=outcome.wait_seconds)
