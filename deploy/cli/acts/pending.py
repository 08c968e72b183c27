"""An act that was typed: recorded before it is done, by whoever opens the ledger for it."""

from __future__ import annotations

import getpass
import socket
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from shared.clock import SystemClock

if TYPE_CHECKING:
    from shared.audit.entry import Actor
    from shared.persistence.engine import Database
    from shared.settings import Settings

COMMAND_LINE: Final = "command line"
"""The role of who types commands: whoever reaches the ledger may do everything."""


class PendingAct:
    """What was typed. Until the ledger is open nothing was done, and nothing is recorded."""

    def __init__(self, name: str, target: str, detail: dict[str, Any]) -> None:
        self._name = name
        self._target = target
        self._detail = detail
        self.number: int | None = None
        """Its entry's in the audit log, once it has begun."""
        self._settings: Settings | None = None

    async def begin(self, database: Database, settings: Settings) -> None:
        """Record it, once; raises LedgerUnavailable: what cannot be recorded is not done."""
        if self.number is None:
            self.number = await self._record(database, self._detail)
            self._settings = settings

    async def note(self, database: Database, came_of_it: dict[str, Any]) -> None:
        """Record what came of it; raises LedgerUnavailable."""
        await self._record(database, {"of": self.number, **came_of_it})

    async def fail(self, code: str) -> None:
        """Record that it failed, where it had begun; raises LedgerUnavailable."""
        from shared.persistence.engine import open_database

        if self._settings is None:
            return
        database = open_database(self._settings.ledger)
        try:
            await self.note(database, {"failed": code})
        finally:
            await database.close()

    async def _record(self, database: Database, detail: dict[str, Any]) -> int:
        from shared.audit.audit_log import AuditLog

        log = AuditLog(database, SystemClock())
        return (await log.record(operating_user(), self._name, self._target, detail)).number


pending_act: Final[ContextVar[PendingAct | None]] = ContextVar("forebay_act", default=None)


def operating_user() -> Actor:
    """Whoever is logged in on this machine."""
    from shared.audit.entry import Actor

    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        user = "unknown"
    return Actor(f"{user}@{socket.gethostname()}", COMMAND_LINE)
