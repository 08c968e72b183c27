"""What was done, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.http.query import known_query, whole_number
from ingress.console.listing import read_query
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.audit.audit_log import AuditLog, Verified
from shared.audit.entry import AuditEntry
from shared.messages.tenant import KeyScope
from shared.sessions.console_user import ConsoleUser

_LAST_NUMBER: Final = 2**62


class AuditSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one key, or one person at the command line, did."""

    actor: str | None = None


class AuditPage(msgspec.Struct, frozen=True):
    """The newest first."""

    rows: list[AuditEntry]
    next: int | None


class AuditScreen:
    """Everything raises LedgerUnavailable."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def operations(self) -> Sequence[ConsoleOperation]:
        return (
            ConsoleOperation("GET", "/audit", self._page, KeyScope.READER),
            ConsoleOperation("GET", "/audit/proof", self._proof, KeyScope.READER),
        )

    def topics(self) -> Sequence[Topic]:
        return (Topic("audit", self._newest),)

    async def _page(self, exchange: Exchange, _user: ConsoleUser) -> AuditPage:
        search, asked = read_query(exchange, AuditSearch)
        before = asked.before and whole_number(asked.before, "before", least=1, most=_LAST_NUMBER)
        rows = await self._log.page(asked.limit, before=before or None, actor=search.actor or None)
        return AuditPage(rows, rows[-1].number if len(rows) == asked.limit else None)

    async def _proof(self, exchange: Exchange, _user: ConsoleUser) -> Verified:
        known_query(exchange, ())
        return await self._log.verify()

    async def _newest(self) -> int:
        return next((entry.number for entry in await self._log.page(1)), 0)
