"""What is wrong now, what was, and who need not be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.http.query import known_query
from ingress.console.acts import read_act
from ingress.console.listing import Everything, read_query
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from ingress.console.recorded import RecordedActs
from shared.alerts.catalogue import AlertCatalogue
from shared.alerts.event import AlertEvent
from shared.alerts.rule import Alert
from shared.alerts.silence import Silence, checked_matchers
from shared.clock import Clock
from shared.messages.tenant import KeyScope
from shared.sessions.console_user import ConsoleUser

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class AlertBoard(msgspec.Struct, frozen=True):
    """What is pending or firing, and the silences in force."""

    active: list[Alert]
    silences: list[Silence]


class AlertEventPage(msgspec.Struct, frozen=True):
    """The newest first."""

    rows: list[AlertEvent]
    next: str | None


class SilenceAct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tell nobody of alerts that match all of these, for so many hours."""

    matchers: dict[str, str]
    hours: Annotated[float, msgspec.Meta(gt=0, le=8_760)]
    why: _Text


_read: Final = msgspec.json.Decoder(SilenceAct)


class AlertsScreen:
    """Everything raises LedgerUnavailable."""

    def __init__(self, catalogue: AlertCatalogue, acts: RecordedActs, clock: Clock) -> None:
        self._catalogue = catalogue
        self._acts = acts
        self._clock = clock

    def operations(self) -> Sequence[ConsoleOperation]:
        row, operator = ConsoleOperation, KeyScope.OPERATOR
        return (
            row("GET", "/alerts", self._board, KeyScope.READER),
            row("GET", "/alerts/history", self._history, KeyScope.READER),
            row("POST", "/alerts/{fingerprint}/acknowledge", self._acknowledge, operator),
            row("POST", "/alerts/silences", self._silence, operator),
            row("DELETE", "/alerts/silences/{silence}", self._end_silence, operator),
        )

    def topics(self) -> Sequence[Topic]:
        return (Topic("alerts", self._now),)

    async def _now(self) -> AlertBoard:
        return AlertBoard(await self._catalogue.active(), await self._catalogue.silences())

    async def _board(self, exchange: Exchange, _user: ConsoleUser) -> AlertBoard:
        known_query(exchange, ())
        return await self._now()

    async def _history(self, exchange: Exchange, _user: ConsoleUser) -> AlertEventPage:
        _, asked = read_query(exchange, Everything)
        rows = await self._catalogue.history(after=asked.before, limit=asked.limit)
        return AlertEventPage(rows, rows[-1].id if len(rows) == asked.limit else None)

    async def _acknowledge(self, exchange: Exchange, user: ConsoleUser) -> Alert:
        fingerprint = exchange.parameters["fingerprint"]
        async with self._acts.doing(user, "alerts.acknowledge", fingerprint):
            return await self._catalogue.acknowledge(fingerprint, by=user.key_id)

    async def _silence(self, exchange: Exchange, user: ConsoleUser) -> Silence:
        asked = await read_act(exchange, _read)
        matchers = checked_matchers(asked.matchers)
        until = self._clock.now() + timedelta(hours=asked.hours)
        told = " ".join(f"{name}={like}" for name, like in matchers.items())
        async with self._acts.doing(user, "alerts.silence", told, {"until": until.isoformat()}):
            return await self._catalogue.silence(
                matchers, until=until, by=user.key_id, why=asked.why
            )

    async def _end_silence(self, exchange: Exchange, user: ConsoleUser) -> None:
        silence = exchange.parameters["silence"]
        async with self._acts.doing(user, "alerts.unsilence", silence):
            await self._catalogue.end_silence(silence)
