"""Sessions of the console: begun with a key, over when it is, or when nobody was there."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update

from shared.clock import Clock
from shared.errors import Forbidden
from shared.identifiers import key_digest
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction
from shared.persistence.tables import api_key, tenant
from shared.sessions.console_user import ConsoleUser, NewSession
from shared.sessions.tables import console_session
from shared.settings.watching.console import ConsoleSettings

_SEEN_AGAIN: Final = timedelta(minutes=1)
"""How exactly it is kept when somebody was there last, at most."""
_USER_COLUMNS: Final = (
    api_key.c.id.label("key_id"),
    api_key.c.hint,
    api_key.c.scope,
    tenant.c.id.label("tenant_id"),
    tenant.c.name.label("tenant_name"),
)


class ConsoleSessions:
    """Who holds which token, in the ledger, so that every door knows it.

    A session ends with its key (revoked or expired), and as long after it began or was last used
    as the settings say; one of a clock that was further ahead than it may be idle is none.
    Everything raises LedgerUnavailable.
    """

    def __init__(self, database: Database, settings: ConsoleSettings, clock: Clock) -> None:
        self._database = database
        self.longest_seconds = settings.longest_seconds
        self._longest = timedelta(seconds=settings.longest_seconds)
        self._idle = timedelta(seconds=settings.idle_seconds)
        self._seen_again = min(_SEEN_AGAIN, self._idle / 4)
        self._clock = clock

    async def begin(self, key: str) -> NewSession | None:
        """A session for the key; None for one that is unknown, expired or revoked.

        Raises Forbidden for a key that is none for the console.
        """
        now = self._clock.now()
        user = await self._owner(key, now)
        if user is None:
            return None
        if not user.role.covers(KeyScope.READER):
            raise Forbidden(
                f"This is a {user.role} key, which opens no console. Make one that does: "
                f"forebay keys create --tenant {user.tenant_name} --scope reader"
            )
        token = secrets.token_urlsafe(32)
        async with transaction(self._database.durable) as connection:
            await connection.execute(
                delete(console_session).where(
                    or_(
                        console_session.c.began_at <= now - self._longest,
                        console_session.c.began_at > now + self._idle,
                    )
                )
            )
            await connection.execute(
                insert(console_session).values(
                    digest=key_digest(token), key_id=user.key_id, began_at=now, seen_at=now
                )
            )
        return NewSession(token, user)

    async def user(self, token: str) -> ConsoleUser | None:
        """Who holds this token; None where it is nobody's any more. It counts as being there."""
        now = self._clock.now()
        query = (
            select(*_USER_COLUMNS, console_session.c.seen_at)
            .select_from(console_session)
            .join(api_key, api_key.c.id == console_session.c.key_id)
            .join(tenant, tenant.c.id == api_key.c.tenant_id)
            .where(
                console_session.c.digest == key_digest(token),
                console_session.c.began_at > now - self._longest,
                console_session.c.seen_at > now - self._idle,
                console_session.c.seen_at <= now + self._idle,
                _works(now),
            )
        )
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        if row.seen_at < now - self._seen_again:
            await self._note(token, now)
        return _user(row)

    async def end(self, token: str) -> None:
        """From now on the token is nobody's."""
        async with transaction(self._database.durable) as connection:
            await connection.execute(
                delete(console_session).where(console_session.c.digest == key_digest(token))
            )

    async def _owner(self, key: str, now: datetime) -> ConsoleUser | None:
        query = (
            select(*_USER_COLUMNS)
            .join(tenant, tenant.c.id == api_key.c.tenant_id)
            .where(api_key.c.digest == key_digest(key), _works(now))
        )
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _user(row)

    async def _note(self, token: str, now: datetime) -> None:
        async with transaction(self._database.durable) as connection:
            await connection.execute(
                update(console_session)
                .where(console_session.c.digest == key_digest(token))
                .values(seen_at=now)
            )


def _works(now: datetime) -> ColumnElement[bool]:
    return and_(
        or_(api_key.c.revoked_at.is_(None), api_key.c.revoked_at > now),
        or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > now),
    )


def _user(row: Any) -> ConsoleUser:
    return ConsoleUser(row.key_id, row.tenant_id, row.tenant_name, row.scope, row.hint)
