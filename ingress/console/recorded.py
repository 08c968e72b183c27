"""Acts of the console, none of which is done unrecorded."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from shared.audit.audit_log import AuditLog
from shared.audit.entry import Actor
from shared.sessions.console_user import ConsoleUser


class RecordedActs:
    """Writes into the audit log what somebody is about to do; raises LedgerUnavailable."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def doing(
        self, user: ConsoleUser, act: str, target: str, detail: dict[str, Any] | None = None
    ) -> AbstractAsyncContextManager[dict[str, Any]]:
        """Around an act: recorded before it is done, and again where it fails.

        What is put into the dictionary that this gives is recorded when it is done. Neither holds
        secrets, nor what people wrote.
        """
        return self._log.acting(Actor(user.key_id, user.role.value), act, target, detail)
