"""`forebay files`: what tenants have uploaded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from msgspec.structs import asdict

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import moment, one_line, say, say_json, say_rows, say_table
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.errors import NotFound

if TYPE_CHECKING:
    from shared.files.file_catalogue import FileCatalogue
    from shared.files.stored_file import StoredFile
    from shared.persistence.engine import Database

FileId = Annotated[str, Parameter(help="Its id, as `forebay files list` shows it.")]
Owner = Annotated[
    str, Parameter(help="Name of the tenant whose it is, as `forebay tenants list` shows it.")
]

files = App(name="files", help="Files that tenants uploaded: list, show and delete them.")


@files.command(name="list")
def list_files(*, tenant: str, limit: Limit = 100, as_json: AsJson = False) -> None:
    """Show a tenant's files, the newest first.

    Parameters
    ----------
    tenant
        Name of the tenant, as `forebay tenants list` shows it.
    """
    found = asyncio.run(_list(tenant, limit))
    if as_json:
        say_json([_plain(each) for each in found])
        return
    rows = [
        (
            each.id,
            f"{each.created_at:%Y-%m-%d %H:%M}",
            f"{each.bytes:,}",
            each.purpose,
            each.filename,
        )
        for each in found
    ]
    headings = ("id", "uploaded", "bytes", "purpose", "name")
    say_table(headings, rows, empty=f"{tenant} has no files.")


@files.command
def show(file_id: FileId, /, *, tenant: Owner, as_json: AsJson = False) -> None:
    """Show one file: its name, its size, when it goes. Its content is for the tenant alone."""
    found = asyncio.run(_show(file_id, tenant))
    if as_json:
        say_json(_plain(found))
        return
    names = ("id", "filename", "purpose", "bytes")
    facts = [(name, one_line(getattr(found, name))) for name in names]
    times = [("uploaded", moment(found.created_at)), ("expires", moment(found.expires_at))]
    say_rows([[*facts, *times]])


@files.command
def delete(file_id: FileId, /, *, tenant: Owner, as_json: AsJson = False) -> None:
    """Delete one file, from all collections too; its content goes within minutes, unless another
    file has the same."""
    asyncio.run(_delete(file_id, tenant))
    if as_json:
        say_json({"id": file_id, "deleted": True})
    else:
        say(f"Deleted: {file_id}.")


async def _list(tenant: str, limit: int) -> list[StoredFile]:
    async with _catalogue(tenant) as (catalogue, tenant_id):
        return await catalogue.list(tenant_id, limit=limit)


async def _show(file_id: str, tenant: str) -> StoredFile:
    async with _catalogue(tenant) as (catalogue, tenant_id):
        found = await catalogue.find(file_id, tenant_id=tenant_id)
    if found is None:
        raise _unknown(file_id, tenant)
    return found


async def _delete(file_id: str, tenant: str) -> None:
    from shared.files.file_catalogue import FileCatalogue
    from shared.index.documents.of_files import FileDocuments

    clock = SystemClock()
    async with _owned(tenant) as (database, tenant_id):
        documents = FileDocuments(database, clock)
        await documents.remove(tenant_id, file_id)
        if not await FileCatalogue(database, clock).delete(file_id, tenant_id=tenant_id):
            raise _unknown(file_id, tenant)
        await documents.remove(tenant_id, file_id)  # what was put in meanwhile


@asynccontextmanager
async def _catalogue(tenant: str) -> AsyncIterator[tuple[FileCatalogue, str]]:
    from shared.files.file_catalogue import FileCatalogue

    async with _owned(tenant) as (database, tenant_id):
        yield FileCatalogue(database, SystemClock()), tenant_id


@asynccontextmanager
async def _owned(tenant: str) -> AsyncIterator[tuple[Database, str]]:
    from shared.persistence.tenants import TenantRepository

    async with open_ledger(command_settings()) as database:
        owner = await tenant_named(tenant, TenantRepository(database, SystemClock()))
        yield database, owner.id


def _plain(file: StoredFile) -> dict[str, Any]:
    return {name: value for name, value in asdict(file).items() if name != "content_id"}


def _unknown(file_id: str, tenant: str) -> NotFound:
    return NotFound(f"{tenant} has no file '{file_id}'. See: forebay files list --tenant {tenant}")
