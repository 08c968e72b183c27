"""Stores propose, the ledger decides: revoked, removed, half written, of another generation."""

from __future__ import annotations

import pytest

from shared.index.collections.generations import CollectionGenerations
from shared.retrieval.legs import LegName
from shared.search.attribute_filter import EqualTo
from shared.search.generation import Generation
from shared.search.query import Where
from shared.settings.indexing.search import SearchSettings

from .searched_index import SearchedIndex, paths

pytestmark = pytest.mark.asyncio(loop_scope="session")

SALARY = "# Salaries\n\nAnn earns 4711 a month."
LEASE = "# Leases\n\nA worker renews its lease every ten seconds."


async def test_a_principal_sees_what_is_for_everybody_and_for_it(index: SearchedIndex) -> None:
    docs = await index.collection()
    await index.put(docs, "salary.md", SALARY, principals=("boss",))
    await index.put(docs, "lease.md", LEASE)

    async def seen(principals: tuple[str, ...] | None) -> list[str]:
        found = await index.find("salary of ann, lease of a worker?", docs, principals=principals)
        return sorted(paths(found))

    assert await seen(None) == await seen(("boss", "x")) == ["lease.md", "salary.md"]
    assert await seen(("ann",)) == await seen(()) == ["lease.md"]


async def test_what_is_revoked_is_gone_while_the_store_still_has_it(index: SearchedIndex) -> None:
    docs = await index.collection()
    salary = await index.put(docs, "salary.md", SALARY, principals=("ann",), attributes={"y": 1})
    assert paths(await index.find("ann earns", docs, principals=("ann",))) == ["salary.md"]

    await index.changes.label(
        index.tenant, docs.id, salary.id, principals=("boss",), attributes={"y": 2}
    )

    assert (await index.find("ann earns", docs, principals=("ann",))).hits == ()
    old = Where(attributes=EqualTo("y", 1))
    assert (await index.find("ann earns", docs, where=old)).hits == ()
    (hit,) = (await index.find("ann earns", docs)).hits
    assert hit.attributes == {"y": 2}


async def test_what_is_removed_is_gone_while_the_store_still_has_it(index: SearchedIndex) -> None:
    docs = await index.collection()
    salary = await index.put(docs, "salary.md", SALARY)
    await index.put(docs, "lease.md", LEASE)

    await index.changes.remove(index.tenant, docs.id, [salary.id])

    found = await index.find("what does Ann earn?", docs, explain=True)
    assert paths(found) == ["lease.md"]
    assert [report.hits for report in found.legs if report.name is LegName.TEXT] == [2]


async def test_a_new_document_is_no_hit_before_all_of_it_is_written(index: SearchedIndex) -> None:
    docs = await index.collection()

    await index.put(docs, "lease.md", LEASE, finish=False)

    assert (await index.find("who renews a lease?", docs)).hits == ()


async def test_what_a_document_said_before_is_gone_once_the_new_is_written(
    index: SearchedIndex,
) -> None:
    docs = await index.collection()
    await index.put(docs, "lease.md", LEASE)
    await index.put(docs, "lease.md", "# Leases\n\nA worker renews its lease every minute.")

    (hit,) = (await index.find("who renews a lease?", docs)).hits

    assert "every minute" in hit.passage.body


async def test_no_tenant_and_no_other_collection_is_ever_seen(index: SearchedIndex) -> None:
    docs, other = await index.collection("docs"), await index.collection("other")
    await index.put(docs, "lease.md", LEASE)
    await index.put(other, "salary.md", SALARY)
    stranger = index.of_another_tenant()
    theirs = await stranger.collection()

    assert paths(await index.find("what does Ann earn?", docs)) == ["lease.md"]
    both = await index.find("what does Ann earn?", docs, other)
    assert {hit.collection_id for hit in both.hits} == {docs.id, other.id}
    assert (await stranger.find("what does Ann earn?", theirs)).hits == ()


async def test_a_page_is_full_although_most_candidates_are_no_hits(index: SearchedIndex) -> None:
    docs = await index.collection()
    gone = [
        await index.put(docs, f"gone/{number}.md", f"{LEASE} lease lease {number}")
        for number in range(30)
    ]
    for number in range(5):
        await index.put(docs, f"{number}.md", f"# Other\n\nNothing of it but a lease. {number}")
    await index.changes.remove(index.tenant, docs.id, [each.id for each in gone])

    shallow = SearchSettings(depth=1)
    found = await index.find("who renews a lease?", docs, limit=5, settings=shallow)

    assert sorted(paths(found)) == [f"{number}.md" for number in range(5)]


async def test_while_a_generation_is_built_the_old_one_is_searched_and_never_both(
    index: SearchedIndex,
) -> None:
    docs = await index.collection()
    await index.put(docs, "lease.md", LEASE)
    following = index.generation[:8] + "ffffff"
    size = index.encoders.text.dimensions
    await index.store.create(Generation(following, size, size))
    generations = CollectionGenerations(index.database, index.clock)
    await generations.begin(index.tenant, docs.id, following)
    building = await index.again(docs)

    before = await index.find("who renews a lease?", docs)
    await index.put(building, "lease.md", f"{LEASE} Or loses it.")
    between = await index.find("who renews a lease?", docs)
    await generations.swap(index.tenant, docs.id)
    after = await index.find("who renews a lease?", docs)

    assert [len(each.hits) for each in (before, between, after)] == [1, 1, 1]
    assert "loses" not in between.hits[0].passage.body
    assert "loses" in after.hits[0].passage.body
    assert [each.freshness[0].generation for each in (before, between, after)] == [
        index.generation,
        index.generation,
        following,
    ]
    assert before.freshness[0].next_generation == following


async def test_a_generation_of_other_models_is_found_by_its_words_and_says_so(
    index: SearchedIndex,
) -> None:
    old = await index.collection("old", generation="g-0123456789ab")
    new = await index.collection("new")
    await index.put(old, "lease.md", LEASE)
    await index.put(new, "salary.md", SALARY)

    found = await index.find("lease salary of a worker?", old, new)

    assert sorted(paths(found)) == ["lease.md", "salary.md"]
    text = next(report for report in found.legs if report.name is LegName.TEXT)
    assert text.dropped == "other_models"
