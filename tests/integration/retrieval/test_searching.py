"""What is found, and what is not: on the embedded engine, with a real encoder."""

from __future__ import annotations

import msgspec
import pytest

from shared.errors import InvalidRequest, NotFound
from shared.retrieval.legs import LegName
from shared.retrieval.routing import SearchMode
from shared.retrieval.search_request import SearchRequest
from shared.search.attribute_filter import AtLeast
from shared.search.query import Dbsf, Rrf, Where
from shared.settings.indexing.search import SearchSettings

from .searched_index import SearchedIndex, paths

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEASE = "# Leases\n\nA worker renews its lease every ten seconds, else another takes the message."
BREAD = "# Bread\n\nKnead flour, water and salt, and bake the dough in a hot oven."
CODE = (
    "def copy_tree(source, target):\n    for each in source.iterdir():\n        each.copy(target)\n"
)


async def test_the_best_passage_comes_first_by_meaning_and_by_words(index: SearchedIndex) -> None:
    docs = await index.collection()
    for path, text in {"lease.md": LEASE, "bread.md": BREAD, "tree.py": CODE}.items():
        await index.put(docs, path, text)

    meaning = await index.find("how do I make a loaf?", docs)
    words = await index.find("renews lease", docs)
    code = await index.find("copy all files of a directory", docs)

    assert paths(meaning)[0] == "bread.md"
    assert paths(words) == ["lease.md"]
    assert paths(code)[0] == "tree.py"
    assert meaning.route.mode is SearchMode.SEMANTIC
    assert words.route.mode is SearchMode.KEYWORD
    assert all(0 <= hit.score <= 1 for hit in meaning.hits)
    assert not meaning.dropped


async def test_the_engines_fusion_and_our_own_give_the_same_scores(index: SearchedIndex) -> None:
    docs = await index.collection()
    for number in range(12):
        await index.put(docs, f"{number}.md", f"# Part {number}\n\n{LEASE} {'bread ' * number}")

    for fusion in (Dbsf(), Rrf(60), Rrf(3)):
        by_engine = await index.find("who renews a lease?", docs, limit=50, fusion=fusion)
        by_us = await index.find("who renews a lease?", docs, limit=50, fusion=fusion, explain=True)

        ours = {hit.id: hit.score for hit in by_us.hits}
        assert {hit.id: pytest.approx(hit.score, abs=1e-5) for hit in by_engine.hits} == ours
        assert not by_engine.hits[0].legs
        assert by_us.hits[0].legs.keys() == {LegName.TEXT, LegName.WORDS}


async def test_a_keyword_question_that_finds_nothing_is_asked_by_meaning(
    index: SearchedIndex,
) -> None:
    docs = await index.collection()
    await index.put(docs, "bread.md", BREAD)

    found = await index.find("loaf crust", docs)

    assert paths(found) == ["bread.md"]
    assert found.route.rule == "few words, which found nothing"


async def test_filters_highlights_and_groups(index: SearchedIndex) -> None:
    docs = await index.collection()
    await index.put(docs, "old.md", LEASE, attributes={"year": 2020})
    long = "\n\n".join(f"# Lease {n}\n\n{'A lease is renewed. ' * 40}" for n in range(6))
    await index.put(docs, "new.md", long, attributes={"year": 2026})
    recent = Where(attributes=AtLeast("year", 2025))

    flat = await index.find("lease", docs, where=recent)
    grouped = await index.find("lease", docs, group_by_document=True)

    assert {*paths(flat)} == {"new.md"}
    assert len(flat.hits) > 1
    hit = flat.hits[0]
    assert hit.attributes == {"year": 2026}
    assert {hit.passage.body[each.start : each.end] for each in hit.highlights} == {
        "Lease",
        "lease",
    }
    assert sorted(paths(grouped)) == ["new.md", "old.md"]
    others = {each.passage.path: len(each.others) for each in grouped.hits}
    assert others == {"new.md": 3, "old.md": 0}


async def test_pages_give_every_hit_once_and_say_when_the_collection_changed(
    index: SearchedIndex,
) -> None:
    docs = await index.collection()
    for number in range(25):
        await index.put(docs, f"{number:02}.md", f"{LEASE} {'bread ' * number}")
    whole = await index.find("who renews a lease?", docs, limit=50)

    pages, cursor = [], None
    while True:
        page = await index.find(
            "who renews a lease?", docs, limit=7, cursor=cursor, settings=SearchSettings(depth=400)
        )
        pages.append(page)
        assert page.changed == ()
        if (cursor := page.next_cursor) is None:
            break

    assert [path for page in pages for path in paths(page)] == paths(whole)
    assert [len(page.hits) for page in pages] == [7, 7, 7, 4]
    await index.put(docs, "99.md", LEASE)
    later = await index.find("who renews a lease?", docs, limit=7, cursor=pages[0].next_cursor)
    assert later.changed == (docs.id,)


async def test_documents_are_grouped_once_over_all_pages(index: SearchedIndex) -> None:
    docs = await index.collection()
    for number in range(9):
        await index.put(docs, f"{number}.md", f"# A\n\n{LEASE}\n\n# B\n\nA lease {'x ' * number}")

    seen, cursor = [], None
    while True:
        page = await index.find("lease", docs, limit=4, group_by_document=True, cursor=cursor)
        seen += paths(page)
        if (cursor := page.next_cursor) is None:
            break

    assert sorted(seen) == [f"{number}.md" for number in range(9)]


async def test_a_threshold_cuts_and_is_on_the_scale_of_scores(index: SearchedIndex) -> None:
    docs = await index.collection()
    for number in range(8):
        await index.put(docs, f"{number}.md", f"{LEASE} {'bread ' * number}")
    whole = await index.find("who renews a lease?", docs)
    middle = whole.hits[3].score

    cut = await index.find("who renews a lease?", docs, score_threshold=middle)

    assert paths(cut) == paths(whole)[: len(cut.hits)]
    assert min(hit.score for hit in cut.hits) >= middle
    assert len(cut.hits) < len(whole.hits)


async def test_a_cursor_of_another_question_is_refused(index: SearchedIndex) -> None:
    docs = await index.collection()
    for number in range(3):
        await index.put(docs, f"{number}.md", f"{LEASE} {number}")
    page = await index.find("who renews a lease?", docs, limit=1)

    with pytest.raises(InvalidRequest, match="another question"):
        await index.find("who bakes?", docs, limit=1, cursor=page.next_cursor)
    for broken in ("", "!", "AAAA", "ä", "A" * 5000):
        if broken:
            with pytest.raises(InvalidRequest, match="cursor"):
                await index.find("who renews a lease?", docs, cursor=broken)


@pytest.mark.parametrize("text", ["", "  \n", "\ud800", "a\0b", "x" * 2001, "\ufdfa" * 200])
async def test_what_is_no_question_is_refused_by_name(index: SearchedIndex, text: str) -> None:
    docs = await index.collection()

    with pytest.raises(InvalidRequest) as refused:
        await index.find(text, docs)

    assert refused.value.param == "query"


async def test_a_question_that_is_longer_than_the_encoder_reads_says_so(
    index: SearchedIndex,
) -> None:
    docs = await index.collection()
    await index.put(docs, "lease.md", LEASE)

    found = await index.find("who renews a lease? " * 90, docs)

    assert {report.name: report.truncated for report in found.legs} == {
        LegName.TEXT: True,
        LegName.WORDS: False,
    }
    assert paths(found) == ["lease.md"]


async def test_odd_fields_are_refused_by_name(index: SearchedIndex) -> None:
    docs = await index.collection()
    good = SearchRequest(tenant_id=index.tenant, collections=(docs,), text="lease")
    odd = {
        "limit": 0,
        "score_threshold": 1.1,
        "collections": (),
        "where": Where(collection=("vs_1",)),
        "weights": {LegName.TEXT: -1.0},
    }

    for field, value in odd.items():
        with pytest.raises(InvalidRequest) as refused:
            await index.search().search(msgspec.structs.replace(good, **{field: value}))
        assert refused.value.param == field
    other = msgspec.structs.replace(good, tenant_id="ten_other")
    with pytest.raises(NotFound):
        await index.search().search(other)


async def test_a_collection_that_was_never_written_to_finds_nothing(index: SearchedIndex) -> None:
    new = await index.collection(generation="")

    found = await index.find("anything at all?", new)

    assert found.hits == ()
    assert found.legs == ()
