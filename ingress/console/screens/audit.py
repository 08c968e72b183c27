"""What was done, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.http.query import known_query, page_limit, whole_number
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.audit.audit_log import AuditLog, Verified
from shared.audit.entry import AuditEntry
from shared.messages.tenant import KeyScope
from shared.sessions.console_user import ConsoleUser

_USUAL: Final = 50
_LARGEST: Final = 200
_LAST_NUMBER: Final = 2**62


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
        query = known_query(exchange, ("before", "limit", "actor"))
        limit = page_limit(query, usual=_USUAL, largest=_LARGEST)
        place = query.get("before")
        before = whole_number(place, "before", least=1, most=_LAST_NUMBER) if place else None
        rows = await self._log.page(limit, before=before, actor=query.get("actor") or None)
        return AuditPage(rows, rows[-1].number if len(rows) == limit else None)

    async def _proof(self, exchange: Exchange, _user: ConsoleUser) -> Verified:
        known_query(exchange, ())
        return await self._log.verify()

    async def _newest(self) -> int:
        return next((entry.number for entry in await self._log.page(1)), 0)
