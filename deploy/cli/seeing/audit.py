"""`forebay audit`: what was done to Forebay, by whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from cyclopts import App

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import complain, moment, say, say_json, say_table
from shared.clock import SystemClock

if TYPE_CHECKING:
    from shared.audit.audit_log import AuditLog, Verified
    from shared.audit.entry import AuditEntry

audit = App(name="audit", help="The audit log: what was done to Forebay, by whom, and its proof.")


@audit.command(name="list")
def list_entries(
    *,
    limit: Limit = 100,
    before: int | None = None,
    actor: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Show what was done, the newest first.

    An act is recorded before it is done. One that failed has a second entry, which says so and
    names the first.

    Parameters
    ----------
    before
        Go on below this number: the last one of the page before.
    actor
        Show what this one did: the id of an API key, or user@host at the command line.
    """
    entries = asyncio.run(_list(limit, before, actor))
    if as_json:
        say_json(entries)
        return
    say_table(
        ("number", "at", "who", "as", "act", "target", "detail"),
        [
            (
                *(each.number, moment(each.at), each.actor, each.role, each.act),
                *(each.target, "" if each.detail == "{}" else each.detail),
            )
            for each in entries
        ],
        empty="Nothing was done so far.",
    )
    if len(entries) == limit:
        complain(f"There may be more: --before {entries[-1].number}")


@audit.command
def verify(*, head: str | None = None, as_json: AsJson = False) -> int:
    """Hold every entry against its digest and the one before it; exit 1 where one does not fit.

    The digest of the last entry, its head, proves all before it. Note it elsewhere from time to
    time: only that shows that the end of a log was cut off, or that all of it was made anew.

    Parameters
    ----------
    head
        A head that was noted before: it must still be an entry's digest.
    """
    found, has_head = asyncio.run(_verify(head))
    fits = found.broken is None and has_head
    if as_json:
        say_json({"ok": fits, **{name: getattr(found, name) for name in found.__struct_fields__}})
    elif found.broken is not None:
        complain(f"The log does not fit: {found.why}. {found.entries} entries before it do.")
    elif not has_head:
        complain("No entry has that head: the end was cut off, or the log was made anew.")
    else:
        say(f"{found.entries} entries fit. Head: {found.head}")
    return 0 if fits else 1


@asynccontextmanager
async def _open_log() -> AsyncIterator[AuditLog]:
    from shared.audit.audit_log import AuditLog

    async with open_ledger(command_settings()) as database:
        yield AuditLog(database, SystemClock())


async def _list(limit: int, before: int | None, actor: str | None) -> list[AuditEntry]:
    async with _open_log() as log:
        return await log.page(limit, before=before, actor=actor)


async def _verify(head: str | None) -> tuple[Verified, bool]:
    async with _open_log() as log:
        return await log.verify(), head is None or await log.has(head)
