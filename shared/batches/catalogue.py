"""What callers do with batches: ask for one, look how far it is, list them, cancel one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.batches.batch import (
    Batch,
    BatchEstimate,
    BatchFault,
    NewBatch,
    batch_of,
    columns_of_batch,
    json_column,
)
from shared.batches.state import BatchState, BatchSurface, batch_sources_of
from shared.batches.tables import batch, batch_item
from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.files.tenant_storage import TenantStorage
from shared.identifiers import BATCH, new_id
from shared.persistence.engine import Database
from shared.persistence.ledger.settlement.end_events import EndEvents
from shared.persistence.ledger.settlement.event_tables import EventType
from shared.persistence.statements import reading, transaction
from shared.storable_text import is_storable

SAME_WITHIN: Final = timedelta(seconds=30)
"""A client that asks again by itself does so in this time, and sends no idempotency key."""


class BatchCatalogue:
    """A tenant's batches; another's do not exist. Everything raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._storage = TenantStorage(database)
        self._events = EndEvents(database)

    async def create(
        self,
        new: NewBatch,
        *,
        batch_id: str | None = None,
        estimate: BatchEstimate | None = None,
        set_aside_each: int | None = None,
        faults: tuple[BatchFault, ...] = (),
    ) -> Batch:
        """The batch, on disk when this returns; the expander finds it.

        Where the same was asked for within `SAME_WITHIN`, of the same input and with the same
        metadata, it is that one, unless that was cancelled since. One with faults has failed as
        soon as it is there, and `estimate` is told until its validation knows better.
        """
        digest, now = _digest_of(new), self._clock.now()
        async with transaction(self._database.durable) as connection:
            # Doors that are told the same side by side take turns here.
            await self._storage.lock(connection, new.tenant_id)
            same = await self._same(connection, new, digest)
            if same is not None:
                return same
            made = Batch(
                **msgspec.structs.asdict(new),
                id=batch_id or new_id(BATCH),
                digest=digest,
                state=BatchState.FAILED if faults else BatchState.VALIDATING,
                created_at=now,
                expires_at=now + timedelta(seconds=new.window_seconds),
                failed_at=now if faults else None,
                estimate=estimate,
                set_aside_each=set_aside_each,
                errors=faults or None,
            )
            await connection.execute(insert(batch), columns_of_batch(made))
            if faults:
                tell = partial(self._events.add_batch, batch_id=made.id, tenant_id=new.tenant_id)
                await connection.run_sync(tell, kind=EventType.BATCH_FAILED, now=now)
        return made

    async def same(self, new: NewBatch) -> Batch | None:
        """The one that `create` would give for it, were it asked now."""
        async with reading(self._database.relaxed) as connection:
            return await self._same(connection, new, _digest_of(new))

    async def find(
        self,
        batch_id: str,
        *,
        tenant_id: str,
        surface: BatchSurface | None = None,
        seen_by: tuple[str, ...] | None = None,
    ) -> Batch:
        """The batch; raises NotFound, as for one of another surface than that, and for one that
        was not asked for with the principals `seen_by`."""
        found = None
        if is_storable(batch_id):
            async with reading(self._database.relaxed) as connection:
                wanted = {"id": batch_id, "tenant": tenant_id}
                found = (await connection.execute(_FIND, wanted)).one_or_none()
        known = None if found is None else batch_of(found)
        if known is None or surface not in {None, known.surface} or not _is_seen(known, seen_by):
            raise NotFound(f"No batch found with id '{batch_id[:64]}'.", param="batch_id")
        return known

    async def list(
        self,
        tenant_id: str,
        *,
        surface: BatchSurface | None = None,
        after: str | None = None,
        before: str | None = None,
        seen_by: tuple[str, ...] | None = None,
        limit: int,
    ) -> Sequence[Batch]:
        """The newest first, from behind the id `after`, or the last ones ahead of `before`; not
        both. Of one surface, or of all; with `seen_by` those asked for with these principals."""
        key, query = batch.c.id, _OF_TENANT
        if surface is not None:
            query = query.where(batch.c.surface == surface)
        if seen_by is not None:
            query = query.where(batch.c.principals == json_column("principals", seen_by))
        if after is not None:
            query = query.where(key < after)
        if before is not None:
            query = query.where(key > before)
        order = key.desc() if before is None else key.asc()
        async with reading(self._database.relaxed) as connection:
            wanted = {"tenant": tenant_id}
            rows = await connection.execute(query.order_by(order).limit(limit), wanted)
            found = [*map(batch_of, rows)]
        return found if before is None else found[::-1]

    async def cancel(self, batch_id: str, *, tenant_id: str) -> Batch:
        """Have it end: what was not begun of it never is, and what has ended keeps its result.

        It is `cancelling` until the collector is through with it. One that is about to end by
        itself ends so. Raises NotFound, and Conflict where it has ended.
        """
        values = {"b_id": batch_id, "b_tenant": tenant_id, "b_now": self._clock.now()}
        if is_storable(batch_id):
            async with transaction(self._database.durable) as connection:
                await connection.execute(_CANCEL, values)
        found = await self.find(batch_id, tenant_id=tenant_id)
        if found.state.is_terminal and found.state is not BatchState.CANCELLED:
            raise Conflict(f"The batch is {found.state} already: nothing is left to cancel.")
        return found

    async def delete(self, batch_id: str, *, tenant_id: str) -> None:
        """Forget one that has ended, with what became of its lines; its messages and files stay.

        Raises NotFound, and Conflict where it has not ended.
        """
        found = await self.find(batch_id, tenant_id=tenant_id)
        if not found.state.is_terminal:
            raise Conflict(f"The batch is {found.state}. Cancel it first, and wait for its end.")
        named = {"id": batch_id}
        async with transaction(self._database.durable) as connection:
            await connection.execute(_DELETE_ITEMS, named)
            await connection.execute(_DELETE, named)

    async def _same(self, connection: AsyncConnection, new: NewBatch, digest: str) -> Batch | None:
        since = self._clock.now() - SAME_WITHIN
        wanted = {"tenant": new.tenant_id, "digest": digest, "since": since}
        row = (await connection.execute(_SAME, wanted)).first()
        return None if row is None else batch_of(row)


def _is_seen(of: Batch, seen_by: tuple[str, ...] | None) -> bool:
    return seen_by is None or of.principals == seen_by


def _digest_of(new: NewBatch) -> str:
    # One input under two names is asked for twice; without a name it is its content that is meant.
    named = msgspec.structs.replace(new, content_id="") if new.input_file_id else new
    return sha256(msgspec.json.encode(named, order="deterministic")).hexdigest()


_OF_TENANT: Final = select(batch).where(batch.c.tenant_id == bindparam("tenant"))
_FIND: Final = _OF_TENANT.where(batch.c.id == bindparam("id"))
_SAME: Final = _OF_TENANT.where(
    batch.c.digest == bindparam("digest"),
    batch.c.created_at > bindparam("since"),
    # Who has cancelled one knew of it: to ask again is no repeat of a lost answer.
    batch.c.state.not_in((BatchState.CANCELLING, BatchState.CANCELLED)),
)
_DELETE_ITEMS: Final = delete(batch_item).where(batch_item.c.batch_id == bindparam("id"))
_DELETE: Final = delete(batch).where(batch.c.id == bindparam("id"))
_CANCEL: Final = (
    update(batch)
    .where(
        batch.c.id == bindparam("b_id"),
        batch.c.tenant_id == bindparam("b_tenant"),
        batch.c.state.in_(batch_sources_of(BatchState.CANCELLING)),
    )
    .values(state=BatchState.CANCELLING, cancelling_at=bindparam("b_now"))
)
