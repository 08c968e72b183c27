"""Names are found by what people type, for the tenant and the collections that are asked."""

from __future__ import annotations

import pytest

from shared.index.chunk import Symbol
from shared.index.states import SymbolRole
from shared.index.symbol_table import SymbolTable, last_part

from .index_ledger import GENERATION, TENANT, IndexLedger, key_of


def _defined(qualified: str, line: int) -> Symbol:
    name = last_part(qualified)
    return Symbol(
        role=SymbolRole.DEFINITION, name=name, qualified=qualified, kind="function", line=line
    )


_CALL = Symbol(role=SymbolRole.CALL, name="claim", qualified="claim", kind="call", line=3)


@pytest.fixture
async def table(index: IndexLedger) -> SymbolTable:
    await index.offer("a.py")
    held = await index.one()
    await index.plan(held, "k1", "k2", "k3")
    symbols = (_defined("Claims.claim", 1), _defined("Claim", 2), _CALL)
    await index.finish(held, "k1", "k2", "k3", symbols=symbols)
    return SymbolTable(index.database)


async def test_a_name_is_found_in_any_case_and_first_as_it_is_spelt(
    index: IndexLedger, table: SymbolTable
) -> None:
    found = await table.search(TENANT, [index.collection.id], "Claim", limit=9)
    assert [(each.qualified, each.role) for each in found] == [
        ("Claim", SymbolRole.DEFINITION),
        ("Claims.claim", SymbolRole.DEFINITION),
        ("claim", SymbolRole.CALL),
    ]
    roles = [SymbolRole.CALL]
    called = await table.search(TENANT, [index.collection.id], "claim", roles=roles, limit=9)
    assert [each.line for each in called] == [3]
    points = await table.points(GENERATION, found)
    assert [key_of(points[each]) for each in found] == ["k2", "k1", "k3"]
    assert await table.points("g-other", found) == {}


@pytest.mark.parametrize("asked", ["Claims.claim", "claims::claim()", "Claims#claim"])
async def test_a_qualified_name_is_found_where_it_ends_so(
    index: IndexLedger, table: SymbolTable, asked: str
) -> None:
    found = await table.search(TENANT, [index.collection.id], asked, limit=9)
    assert [each.qualified for each in found] == ["Claims.claim"]


async def test_others_find_nothing(index: IndexLedger, table: SymbolTable) -> None:
    assert await table.search("ten_2", [index.collection.id], "claim", limit=9) == []
    assert await table.search(TENANT, ["vs_other"], "claim", limit=9) == []
    for nothing in ("", "()", "a\0b"):
        assert await table.search(TENANT, [index.collection.id], nothing, limit=9) == []


async def test_symbols_go_with_what_defined_them(index: IndexLedger, table: SymbolTable) -> None:
    await index.index("a.py", "k1", size=2)
    assert await table.search(TENANT, [index.collection.id], "claim", limit=9) == []
