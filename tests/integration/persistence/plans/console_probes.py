"""The statements that every request and every page of the console makes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Insert

from shared.clock import Clock
from shared.persistence.engine import Database
from shared.sessions.console_sessions import ConsoleSessions
from shared.sessions.tables import console_session
from shared.settings.watching.console import ConsoleSettings
from shared.views.judged_pages import JudgedPages

ConsoleProbe = Callable[[Database, Clock], Awaitable[object]]


def sessions(rows: Callable[..., Insert], number: float, now: datetime) -> list[Insert]:
    """So many people who are logged in; `rows` makes the statement."""
    made: dict[str, Any] = {"digest": "session", "key_id": "key_"}
    made |= {"began_at": now, "seen_at": now}
    return [rows(console_session, number, made, numbered=("digest", "key_id"))]


def _sessions(database: Database, clock: Clock) -> ConsoleSessions:
    return ConsoleSessions(database, ConsoleSettings(), clock)


CONSOLE_PROBES: Final[dict[str, ConsoleProbe]] = {
    "ConsoleSessions.begin": lambda database, clock: _sessions(database, clock).begin("fb_"),
    "ConsoleSessions.user": lambda database, clock: _sessions(database, clock).user("none"),
    "ConsoleSessions.end": lambda database, clock: _sessions(database, clock).end("none"),
    "JudgedPages.page": lambda database, clock: JudgedPages(database).page(
        before=clock.now().isoformat(), limit=50
    ),
}
CONSOLE_BY_HAND: Final = {
    # It reads as much as was said in the moments that it looks at; the crowd said all in one.
    "NegativeFeedback": {"page"},
}
