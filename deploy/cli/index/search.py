"""`forebay search`: what the index finds, and why."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.index.tenant import Tenant, open_index
from deploy.cli.options import AsJson
from deploy.cli.output import for_terminal, one_line, say, say_json
from shared.clock import SystemClock
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.index.collections.collection import Collection
    from shared.persistence.engine import Database
    from shared.retrieval.search_result import FoundPassage, SearchResult

_MOST_LINES = 12
_LONGEST_LINE = 400


def search(
    question: str,
    /,
    *,
    collection: tuple[str, ...] = (),
    tenant: Tenant = None,
    mode: str = "auto",
    limit: Annotated[int, Parameter(validator=Number(gte=1, lte=100))] = 5,
    explain: bool = False,
    as_json: AsJson = False,
) -> int:
    """Search collections, and show the passages with where they stand.

    The exit code is 1 where nothing was found.

    Parameters
    ----------
    question
        A question, words, a name out of code, or a piece of code.
    collection
        Name or id of a collection; may be given more than once. All of the tenant when not given.
    mode
        `auto` decides by how the question is written; or keyword, semantic, code, symbol, mixed.
    limit
        Show at most so many passages.
    explain
        Show what each way of finding gave a passage.
    """
    result = asyncio.run(_search(question, collection, tenant, mode, limit, explain=explain))
    if as_json:
        from msgspec import to_builtins

        say_json(to_builtins(result))
    else:
        _show(result)
    return 0 if result.hits else 1


async def _search(
    question: str,
    names: tuple[str, ...],
    tenant: str | None,
    mode: str,
    limit: int,
    *,
    explain: bool,
) -> SearchResult:
    from shared.retrieval.opening import open_search
    from shared.retrieval.routing import SearchMode
    from shared.retrieval.search_request import SearchRequest
    from shared.telemetry.metrics import Metrics

    if mode not in [*SearchMode]:
        raise InvalidRequest(f"--mode {mode} is none. Use one of: {', '.join(SearchMode)}.")
    clock = SystemClock()
    async with open_index(tenant) as (database, settings, tenant_id):
        request = SearchRequest(
            tenant_id=tenant_id,
            collections=await _collections(database, tenant_id, names),
            text=question,
            mode=SearchMode(mode),
            limit=limit,
            explain=explain,
        )
        async with open_search(settings, database, clock, Metrics()) as opened:
            return await opened.search(request)


async def _collections(
    database: Database, tenant_id: str, names: tuple[str, ...]
) -> tuple[Collection, ...]:
    from shared.index.collections.catalogue import CollectionCatalogue
    from shared.retrieval.search_request import MOST_COLLECTIONS

    catalogue = CollectionCatalogue(database, SystemClock())
    if names:
        return tuple([await catalogue.named(tenant_id, each) for each in dict.fromkeys(names)])
    there = await catalogue.list(tenant_id, limit=MOST_COLLECTIONS)
    if not there:
        raise InvalidRequest("There are no collections. Make one: forebay index FOLDER")
    return tuple(there)


def _show(result: SearchResult) -> None:
    if not result.hits:
        say("Nothing was found.")
    for number, hit in enumerate(result.hits, start=1):
        if number > 1:
            say("")
        _show_hit(number, hit)
    for leg in result.dropped:
        say(f"\n{leg.name} did not answer: {leg.dropped}")


def _show_hit(number: int, hit: FoundPassage) -> None:
    passage = hit.passage
    place = f"{one_line(passage.path)}:{passage.first_line}-{passage.last_line}"
    say(f"{number}. {place}  {one_line(passage.header or '')}  ({hit.score:.2f})")
    for name, leg in hit.legs.items():
        say(f"   {name}: place {leg.rank}, score {leg.score:.3f}")
    lines = for_terminal(passage.body).splitlines()
    for line in lines[:_MOST_LINES]:
        say(f"   {line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + ' …'}")
    if len(lines) > _MOST_LINES:
        say(f"   … {len(lines) - _MOST_LINES} more lines")
