"""Tenants and their API keys. A key is shown once, when it is made; only its digest is kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, String, bindparam, insert, or_, select, type_coerce, update
from sqlalchemy.exc import IntegrityError

from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.identifiers import API_KEY, TENANT, key_digest, new_id
from shared.messages.tenant import KeyScope, Plan, Tenant
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.key_records import (
    EVERYTHING,
    KEY_COLUMNS,
    KEY_PREFIX,
    KeyReach,
    KeyRecord,
    NewKey,
    Opened,
    key_record,
    read_principals,
    written_principals,
)
from shared.persistence.statements import reading, transaction
from shared.persistence.tables import api_key, tenant


class TenantRepository:
    """Tenants and keys; everything raises LedgerUnavailable when the database does not answer."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._wanted = IdList(database.relaxed.dialect)
        now = bindparam("now", type_=api_key.c.revoked_at.type)
        self._by_digests = (
            select(
                api_key.c.digest,
                tenant.c.id,
                tenant.c.name,
                tenant.c.plan,
                type_coerce(api_key.c.scope, String).label("scope"),
                api_key.c.principals,
                api_key.c.delegates,
            )
            .join(api_key, api_key.c.tenant_id == tenant.c.id)
            .where(
                self._wanted.holds(api_key.c.digest),
                or_(api_key.c.revoked_at.is_(None), api_key.c.revoked_at > now),
                or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > now),
            )
        )

    async def create(self, name: str, plan: Plan | None = None) -> Tenant:
        """A new tenant; raises Conflict when the name is taken."""
        created = Tenant(new_id(TENANT), name, plan)
        try:
            async with transaction(self._database.durable) as connection:
                await connection.execute(
                    insert(tenant).values(
                        id=created.id,
                        name=name,
                        plan=msgspec.json.encode(plan).decode() if plan else None,
                        created_at=self._clock.now(),
                    )
                )
        except IntegrityError as error:
            raise Conflict(f"There is a tenant named '{name}' already.") from error
        return created

    async def named(self, name: str) -> Tenant | None:
        """The tenant of that name."""
        async with reading(self._database.relaxed) as connection:
            row = (
                await connection.execute(select(tenant).where(tenant.c.name == name))
            ).one_or_none()
        return None if row is None else _tenant(row)

    async def all(self) -> list[Tenant]:
        """Every tenant, by name."""
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(select(tenant).order_by(tenant.c.name))
            return [_tenant(row) for row in rows]

    async def plan_of(self, tenant_id: str) -> Plan | None:
        """The tenant's own plan, if there is such a tenant and it has one."""
        query = select(tenant.c.plan).where(tenant.c.id == tenant_id)
        async with reading(self._database.relaxed) as connection:
            return _plan(await connection.scalar(query))

    async def weights(self) -> dict[str, float]:
        """Of the tenants that have another weight than 1, by their ids."""
        query = select(tenant.c.id, tenant.c.plan).where(tenant.c.plan.contains('"weight":'))
        async with reading(self._database.relaxed) as connection:
            rows = (await connection.execute(query)).all()
        plans = ((row.id, _plan(row.plan)) for row in rows)
        return {id_: plan.weight for id_, plan in plans if plan and plan.weight != 1.0}

    async def set_plan(self, owner: Tenant, plan: Plan | None) -> Tenant:
        """Give a tenant limits of its own, or with None those of the settings again.

        Doors know once they are told, or within their key cache's time.
        """
        async with transaction(self._database.durable) as connection:
            await connection.execute(
                update(tenant)
                .where(tenant.c.id == owner.id)
                .values(plan=None if plan is None else msgspec.json.encode(plan).decode())
            )
        return msgspec.structs.replace(owner, plan=plan)

    async def keep_for(self, owner: Tenant, days: int | None) -> Tenant:
        """Keep what the tenant's messages said for so many days, with None as the settings say.

        Workers know with their next round; what is older by then goes.
        """
        async with transaction(self._database.durable) as connection:
            await connection.execute(
                update(tenant).where(tenant.c.id == owner.id).values(retention_days=days)
            )
        return msgspec.structs.replace(owner, retention_days=days)

    async def by_key(self, key: str) -> Opened | None:
        """Whose key this is and what it opens; None if unknown, expired or revoked."""
        digest = key_digest(key)
        found = (await self.by_digests([digest])).get(digest)
        if isinstance(found, Exception):
            raise found
        return found

    async def by_digests(self, digests: Sequence[str]) -> dict[str, Opened | Exception]:
        """The same for many keys in one statement; one that opens nothing is not in the answer.

        One whose row cannot be read is an error for itself alone.
        """
        values = self._wanted.parameters(digests) | {"now": self._clock.now()}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(self._by_digests, values)
            return {row.digest: _opened(row) for row in rows}

    async def create_key(
        self,
        owner: Tenant,
        *,
        scope: KeyScope,
        expires_at: datetime | None = None,
        reach: KeyReach = EVERYTHING,
    ) -> NewKey:
        """A new key of this tenant."""
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        record = KeyRecord(
            id=new_id(API_KEY),
            tenant_id=owner.id,
            tenant_name=owner.name,
            hint=f"{KEY_PREFIX}…{key[-4:]}",
            scope=scope,
            created_at=self._clock.now(),
            expires_at=expires_at,
            revoked_at=None,
            principals=reach.principals,
            delegates=reach.delegates,
        )
        async with transaction(self._database.durable) as connection:
            await connection.execute(
                insert(api_key).values(
                    id=record.id,
                    tenant_id=owner.id,
                    digest=key_digest(key),
                    hint=record.hint,
                    scope=scope,
                    created_at=record.created_at,
                    expires_at=expires_at,
                    principals=written_principals(reach.principals),
                    delegates=reach.delegates,
                )
            )
        return NewKey(key, record)

    async def keys(self, *, tenant_name: str | None = None) -> list[KeyRecord]:
        """All keys, oldest first, of one tenant or of all."""
        query = (
            select(
                *(api_key.c[name] for name in KEY_COLUMNS),
                tenant.c.name.label("tenant_name"),
            )
            .join(tenant, tenant.c.id == api_key.c.tenant_id)
            .order_by(api_key.c.created_at)
        )
        if tenant_name is not None:
            query = query.where(tenant.c.name == tenant_name)
        async with reading(self._database.relaxed) as connection:
            return [key_record(row) for row in await connection.execute(query)]

    async def revoke_key(self, key_id: str, *, after: timedelta = timedelta()) -> KeyRecord:
        """Revoke a key now, or `after` a while so that its users can change over.

        Raises NotFound.
        """
        async with transaction(self._database.durable) as connection:
            changed = await connection.execute(
                update(api_key)
                .where(api_key.c.id == key_id)
                .values(revoked_at=self._clock.now() + after)
                .returning(api_key.c.id)
            )
            if changed.one_or_none() is None:
                raise NotFound(f"There is no key '{key_id}'. See: forebay keys list.")
        return next(record for record in await self.keys() if record.id == key_id)

    async def rotate_key(self, key_id: str, *, overlap: timedelta) -> NewKey:
        """A new key like this one, which goes on working for `overlap`; raises NotFound."""
        old = await self.revoke_key(key_id, after=overlap)
        owner = Tenant(old.tenant_id, old.tenant_name)
        reach = KeyReach(old.principals, delegates=old.delegates)
        return await self.create_key(owner, scope=old.scope, expires_at=old.expires_at, reach=reach)


def _opened(row: Row[Any]) -> Opened | Exception:
    try:
        owner = Tenant(row.id, row.name, _plan(row.plan))
        principals = read_principals(row.principals)
        return Opened(owner, KeyScope(row.scope), principals, delegates=bool(row.delegates))
    except (ValueError, msgspec.MsgspecError) as error:
        return error


def _tenant(row: Row[Any]) -> Tenant:
    return Tenant(row.id, row.name, _plan(row.plan), row.retention_days)


def _plan(text: str | None) -> Plan | None:
    return None if text is None else msgspec.json.decode(text, type=Plan)
