"""`forebay collections`: what is indexed, how much, and up to when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from msgspec import to_builtins
from msgspec.structs import asdict

from deploy.cli.index.tenant import Tenant
from deploy.cli.options import AsJson, Limit
from deploy.cli.output import complain, counted, moment, say, say_json, say_rows, say_table
from shared.clock import SystemClock
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.cli.collections.stock_taking import Stock
    from shared.index.collections.collection import Collection
    from shared.index.collections.figures import DocumentCounts, Freshness
    from shared.index.repairs import RepairOutcome

Name = Annotated[str, Parameter(help="Its name or its id.")]

collections = App(
    name="collections",
    help="Collections of documents: list, make, drop and swap them, with figures and freshness.",
)


@collections.command(name="list")
def list_collections(*, tenant: Tenant = None, limit: Limit = 100, as_json: AsJson = False) -> None:
    """Show a tenant's collections, the newest first."""
    from deploy.cli.collections.shelf import plain_collection

    found = asyncio.run(_list(tenant, limit))
    if as_json:
        say_json([plain_collection(each) | asdict(counts) for each, counts in found])
        return
    rows = [
        (
            each.id,
            f"{each.created_at:%Y-%m-%d %H:%M}",
            f"{counts.total:,}",
            f"{counts.passages:,}",
            each.generation or "none yet",
            each.name,
        )
        for each, counts in found
    ]
    headings = ("id", "made", "documents", "passages", "generation", "name")
    say_table(headings, rows, empty="There are no collections. Make one: forebay index FOLDER")


@collections.command
def create(name: str, /, *, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Make an empty collection; its first indexer gives it its models.

    Parameters
    ----------
    name
        What it is called; several may be called the same.
    """
    from deploy.cli.collections.shelf import plain_collection

    if not name.strip():
        raise InvalidRequest("A collection needs a name that people can read.")
    made = asyncio.run(_create(name, tenant))
    if as_json:
        say_json(plain_collection(made))
    else:
        say(f"Made: {made.id}.")


@collections.command
def drop(name: Name, /, *, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Delete a collection: nobody finds anything in it any more, and indexers clear it away."""
    gone = asyncio.run(_drop(name, tenant))
    if as_json:
        say_json({"id": gone.id, "deleted": True})
    else:
        say(f"Dropped: {gone.id}.")


@collections.command
def swap(name: Name, /, *, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Search the generation that is built beside the one that is searched, now that it is whole.

    Indexers do so by themselves within seconds; while documents wait it is refused.
    """
    from deploy.cli.collections.shelf import plain_collection

    swapped = asyncio.run(_swap(name, tenant))
    if as_json:
        say_json(plain_collection(swapped))
    else:
        say(f"{swapped.name} is searched in generation {swapped.generation}.")


@collections.command
def stats(name: Name, /, *, tenant: Tenant = None, as_json: AsJson = False) -> int:
    """Count what the ledger says is in a collection, and what its stores have.

    The exit code is 1 where they differ, as they do for a moment while documents are indexed.
    """
    found, stock = asyncio.run(_stats(name, tenant))
    if as_json:
        say_json({"id": found.id, "adds_up": stock.adds_up} | to_builtins(stock))
        return 0 if stock.adds_up else 1
    counts = asdict(stock.counts)
    rows = [(key.replace("_", " "), f"{value:,}") for key, value in counts.items()]
    for where, number in (("store", stock.in_store), ("keyword store", stock.in_keyword_store)):
        rows += [] if number is None else [(f"passages in the {where}", f"{number:,}")]
    say_rows([rows])
    complain(*stock.trouble)
    if not stock.adds_up and not stock.trouble:
        waits = counted(stock.counts.in_progress, "document")
        say(f"The stores have other passages than the ledger; {waits} in progress.")
        if not stock.counts.in_progress:
            say(f"Where it stays so: forebay collections repair {name}")
    return 0 if stock.adds_up else 1


@collections.command
def repair(name: Name, /, *, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Make stores and ledger one again, where one of them was put back to an older day.

    Indexers index anew what a store lacks, and delete what the ledger does not know.
    """
    repaired, outcome = asyncio.run(_repair(name, tenant))
    if as_json:
        say_json({"id": repaired.id} | asdict(outcome))
    elif outcome.documents or outcome.points:
        documents = counted(outcome.documents, "document")
        passages = counted(outcome.points, "passage")
        say(f"To be indexed anew: {documents}. To be deleted: {passages}. Indexers do it now.")
    else:
        say("The stores have what the ledger says.")


@collections.command
def freshness(name: Name, /, *, tenant: Tenant = None, as_json: AsJson = False) -> None:
    """Show up to which commit and time each source of a collection is indexed."""
    found, fresh = asyncio.run(_freshness(name, tenant))
    if as_json:
        say_json({"id": found.id} | to_builtins(fresh))
        return
    rows = [
        (moment(each.indexed_through), each.commit_id or "", each.branch or "", each.source)
        for each in fresh.sources
    ]
    headings = ("indexed through", "commit", "branch", "source")
    say_table(headings, rows, empty=f"No source of {found.name} has been indexed whole yet.")
    if fresh.waiting:
        say(f"{counted(fresh.waiting, 'document')} wait to be indexed.")
    if fresh.next_generation:
        say(f"{fresh.next_generation} is built beside {fresh.generation}, to be searched next.")


async def _list(tenant: str | None, limit: int) -> list[tuple[Collection, DocumentCounts]]:
    from deploy.cli.collections.shelf import open_shelf

    async with open_shelf(tenant) as shelf:
        return await shelf.all(limit)


async def _create(name: str, tenant: str | None) -> Collection:
    from deploy.cli.collections.shelf import open_shelf

    async with open_shelf(tenant) as shelf:
        return await shelf.catalogue.create(shelf.tenant_id, name=name)


async def _drop(name: str, tenant: str | None) -> Collection:
    from deploy.cli.collections.shelf import open_shelf

    async with open_shelf(tenant) as shelf:
        found = await shelf.one(name)
        await shelf.catalogue.delete(shelf.tenant_id, found.id)
        return found


async def _swap(name: str, tenant: str | None) -> Collection:
    from deploy.cli.collections.shelf import open_shelf
    from shared.index.collections.generations import CollectionGenerations

    async with open_shelf(tenant) as shelf:
        found = await shelf.one(name)
        await CollectionGenerations(shelf.database, SystemClock()).swap(shelf.tenant_id, found.id)
        return await shelf.catalogue.find(shelf.tenant_id, found.id)


async def _stats(name: str, tenant: str | None) -> tuple[Collection, Stock]:
    from deploy.cli.collections.shelf import open_shelf
    from deploy.cli.collections.stock_taking import take_stock

    async with open_shelf(tenant) as shelf:
        found = await shelf.one(name)
        return found, await take_stock(shelf, found)


async def _repair(name: str, tenant: str | None) -> tuple[Collection, RepairOutcome]:
    from deploy.cli.collections.mending import mend
    from deploy.cli.collections.shelf import open_shelf

    async with open_shelf(tenant) as shelf:
        found = await shelf.one(name)
        return found, await mend(shelf, found)


async def _freshness(name: str, tenant: str | None) -> tuple[Collection, Freshness]:
    from deploy.cli.collections.shelf import open_shelf

    async with open_shelf(tenant) as shelf:
        found = await shelf.one(name)
        return found, await shelf.freshness(found)
