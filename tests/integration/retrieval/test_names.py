"""Names of code are found where they are defined, and where they are used when that is asked."""

from __future__ import annotations

import pytest

from shared.retrieval.legs import LegName
from shared.retrieval.routing import SearchMode

from .searched_index import SearchedIndex, paths

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEFINED = '''class Shelf:
    def copy_tree(self, source, to):
        """Every file below."""
        return [each.copy(to) for each in source.iterdir() if each.name != ".git"]
'''
USED = """from shelf import Shelf

def back_up(shelf: Shelf) -> None:
    # copy_tree copy_tree copy_tree copy_tree
    shelf.copy_tree("here", "there")
"""


async def test_a_name_finds_its_definition_before_what_says_it_more_often(
    index: SearchedIndex,
) -> None:
    code = await index.collection()
    await index.put(code, "shelf.py", DEFINED)
    await index.put(code, "backup.py", USED)

    for asked in ("copy_tree", "copy_tree()", "Shelf.copy_tree", "Copy_Tree", "Shelf::copy_tree"):
        found = await index.find(asked, code, explain=True)
        assert found.route.mode is SearchMode.SYMBOL
        assert paths(found)[0] == "shelf.py", asked
        assert found.hits[0].legs[LegName.SYMBOLS].rank == 1


async def test_who_asks_for_uses_gets_them(index: SearchedIndex) -> None:
    code = await index.collection()
    await index.put(code, "shelf.py", DEFINED)
    await index.put(code, "backup.py", USED)

    found = await index.find("who calls copy_tree?", code, explain=True)

    named = [hit.passage.path for hit in found.hits if LegName.SYMBOLS in hit.legs]
    assert named == ["backup.py"]


async def test_a_name_of_another_class_is_not_taken_for_it(index: SearchedIndex) -> None:
    code = await index.collection()
    await index.put(code, "shelf.py", DEFINED)

    found = await index.find("Drawer.copy_tree", code, explain=True)

    assert all(LegName.SYMBOLS not in hit.legs for hit in found.hits)
    assert next(report.hits for report in found.legs if report.name is LegName.SYMBOLS) == 0
