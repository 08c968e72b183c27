"""What a Meilisearch server is sent, held against its description, and what it answers, read."""

from __future__ import annotations

import msgspec
import pytest

from shared.errors import Conflict, InvalidRequest, NotFound
from shared.search.keyword.keys import key_of
from shared.search.keyword.keyword_store import Highlight
from shared.search.keyword.meilisearch_store import MeilisearchStore
from shared.search.point import Change, Passage, Point, Scope
from shared.search.query import Where
from tests.conformance.search.keyword_labels import check_comparisons, check_readers
from tests.integration.search.described_server import serving
from tests.integration.search.meilisearch_stub import KeptIndex, MeilisearchStub
from tests.integration.search.qdrant_stub import FIRST, SECOND

SCOPE = Scope("g-1", "acme")
OTHERS = Scope("g-1", "ACME")
ANY = Where()
PASSAGE = Passage("c", "d", "s", "p", "go", "code", 4, "open getUserName", symbol="getUserName")
TENANT = f'keys = "{key_of("tenant", "acme")}"'


def point(body: str = "open getUserName", *, ver: int = 4, name: str = FIRST) -> Point:
    return Point(name, msgspec.structs.replace(PASSAGE, ver=ver, body=body))


async def bodies_of(store: MeilisearchStore, scope: Scope, text: str) -> list[str]:
    return [hit.passage.body for hit in await store.query(scope, text, ANY)]


async def test_an_index_is_made_as_it_must_be_and_made_again(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    await words.create("g-1")
    assert meilisearch.indexes["g-1"].primary_key == "id"
    first, again = meilisearch.bodies("/settings")
    assert first == again == meilisearch.indexes["g-1"].settings
    assert first["searchableAttributes"] == ["symbol", "header", "identifiers", "body"]
    assert first["typoTolerance"]["disableOnAttributes"] == ["symbol", "identifiers"]
    filterable = {
        name: each["features"]["filter"]["comparison"]
        for each in first["filterableAttributes"]
        for name in each["attributePatterns"]
    }
    assert filterable == {"keys": False, "id": False, "ver": True, "numbers": True}
    await words.create("a-0")
    assert await words.generations() == ("a-0", "g-1")
    await words.drop("g-1")
    await words.drop("g-1")
    assert await words.generations() == ("a-0",)
    meilisearch.indexes["theirs"] = KeptIndex(primary_key="isbn")
    with pytest.raises(Conflict, match="theirs"):
        await words.create("theirs")


async def test_what_is_written_comes_back_whole(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    nul = msgspec.structs.replace(PASSAGE, body="nul \0 and 💥 {}", path="a\0b/💥 'x\" OR")
    await words.upsert(SCOPE, [point(), Point(SECOND, nul)])
    assert meilisearch.bodies("/documents")[0][0]["identifiers"] == "get user name"
    assert [hit.passage for hit in await words.query(SCOPE, "open", ANY)] == [PASSAGE]
    found = await words.query(SCOPE, "nul", Where(path=("other", "a\0b/💥 'x\" OR")))
    assert [(hit.id, hit.passage) for hit in found] == [(SECOND, nul)]
    assert await words.query(SCOPE, "nul", Where(path=("a",), kind=("code",))) == ()
    assert await words.count(SCOPE, Where(kind=("code",), below_ver=5)) == 2
    assert await words.count(SCOPE, Where(below_ver=4)) == 0


async def test_a_tenant_is_told_from_one_whose_name_differs_by_case_alone(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    await words.upsert(SCOPE, [point("ours")])
    await words.upsert(OTHERS, [point("theirs", name=SECOND)])
    assert key_of("tenant", "acme").lower() != key_of("tenant", "ACME").lower()
    assert await bodies_of(words, SCOPE, "ours theirs") == ["ours"]
    assert await bodies_of(words, OTHERS, "ours theirs") == ["theirs"]
    assert await words.count(SCOPE, ANY) == 1
    await words.upsert(OTHERS, [point("stolen", ver=9)])
    await words.delete(OTHERS, [FIRST], ver=9)
    await words.change(OTHERS, [Change(FIRST, "moved", 1, 1)], ver=9)
    assert await words.query(SCOPE, "ours", ANY) != ()
    asked = [body["filter"] for body in meilisearch.bodies("/search")]
    assert all(each.startswith('keys = "tenant-') for each in asked)


async def test_an_older_delivery_overwrites_moves_and_deletes_nothing(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    await words.upsert(SCOPE, [point("new", ver=5)])
    await words.upsert(SCOPE, [point("old", ver=4), point("beside", ver=4, name=SECOND)])
    assert await bodies_of(words, SCOPE, "new old beside") == ["new", "beside"]
    await words.delete(SCOPE, [FIRST, SECOND], ver=4)
    assert await bodies_of(words, SCOPE, "new old beside") == ["new"]
    await words.change(SCOPE, [Change(FIRST, "older", 1, 1)], ver=4)
    await words.change(SCOPE, [Change(FIRST, "moved", 7, 9), Change(SECOND, "x", 1, 1)], ver=6)
    (hit,) = await words.query(SCOPE, "new", Where(path=("moved",)))
    assert (hit.passage.first_line, hit.passage.last_line, hit.passage.ver) == (7, 9, 6)
    assert meilisearch.bodies("/delete")[0] == {
        "filter": f'{TENANT} AND ver <= 4 AND id IN ["{FIRST}", "{SECOND}"]'
    }


async def test_what_an_older_delivery_left_is_swept_up(words: MeilisearchStore) -> None:
    await words.create("g-1")
    await words.upsert(SCOPE, [point("new", ver=5), point("left", ver=4, name=SECOND)])
    await words.upsert(OTHERS, [point("theirs", ver=1, name=SECOND[:-1] + "3")])
    assert await words.ids(SCOPE, Where(document=("d",), below_ver=5)) == (SECOND,)
    assert len(await words.ids(SCOPE, ANY, limit=1)) == 1
    [first, second] = await words.written(SCOPE, ANY)
    assert (first.document, await words.written(SCOPE, ANY, skip=1)) == ("d", (second,))
    await words.delete(SCOPE, await words.ids(SCOPE, Where(below_ver=5)), ver=4)
    assert await words.ids(SCOPE, ANY) == (FIRST,)
    assert await words.count(OTHERS, ANY) == 1


async def test_words_are_marked_by_characters_though_the_server_counts_bytes(
    words: MeilisearchStore,
) -> None:
    await words.create("g-1")
    body = "💥 Öffnen: größe, größe"
    await words.upsert(SCOPE, [point(body)])
    (hit,) = await words.query(SCOPE, "größe getUserName", ANY)
    assert hit.highlights == (
        Highlight("symbol", 0, 11),
        Highlight("body", 10, 15),
        Highlight("body", 17, 22),
    )
    assert {body[each.start : each.end] for each in hit.highlights[1:]} == {"größe"}


async def test_a_question_is_words_alone(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    await words.upsert(SCOPE, [point()])
    for nothing in ("", " ", "\0", '"', "!!! -- ''", "_", "💥", "\u202e", "\u0640"):
        assert await words.query(SCOPE, nothing, ANY) == ()
    assert meilisearch.bodies("/search") == []
    await words.query(SCOPE, '"How is the ﬁle -opened?"', ANY, limit=3)
    (asked,) = meilisearch.bodies("/search")
    assert (asked["q"], asked["limit"]) == ("file opened", 3)
    assert asked["matchingStrategy"] == "frequency"


async def test_a_large_call_is_handed_over_whole_before_it_is_waited_for(
    meilisearch: MeilisearchStub,
) -> None:
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(25)]
    async with serving(meilisearch) as url:
        store = MeilisearchStore(url, batch_bytes=1_000_000)
        await store.create("g-1")
        meilisearch.sent.clear()
        await store.upsert(SCOPE, [point("word " * 20_000, name=each) for each in ids])
        await store.close()
    calls = [path.rpartition("/")[2] for _, path, _ in meilisearch.sent]
    assert calls[:4] == ["fetch", "documents", "documents", "documents"]
    assert all(call.isdigit() for call in calls[4:])
    sizes = [len(msgspec.json.encode(body)) for body in meilisearch.bodies("/documents")]
    assert max(sizes) < 1_001_000
    assert list(meilisearch.indexes["g-1"].documents) == ids


async def test_nothing_is_written_where_the_index_is_gone(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    for call in (
        words.upsert(SCOPE, [point()]),
        words.delete(SCOPE, [FIRST], ver=4),
        words.change(SCOPE, [Change(FIRST, "p", 1, 1)], ver=4),
        words.count(SCOPE, ANY),
        words.query(SCOPE, "open", ANY),
    ):
        with pytest.raises(NotFound, match="generation g-1: create it"):
            await call
    assert meilisearch.indexes == {}


async def test_what_is_no_good_is_refused_before_anything_is_sent(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    for call, name in (
        (words.upsert(SCOPE, [point("\ud800")]), "body"),
        (words.upsert(SCOPE, [point("a" * 100_001)]), "body"),
        (words.upsert(SCOPE, [point(), point()]), "id"),
        (words.delete(SCOPE, ["x"], ver=1), "id"),
        (words.count(Scope("g-1", ""), ANY), "tenant"),
        (words.count(Scope("../keys", "t"), ANY), "generation"),
        (words.create("G"), "generation"),
        (words.query(SCOPE, "a" * 2001, ANY), "text"),
        (words.query(SCOPE, "\udfff", ANY), "text"),
        (words.query(SCOPE, "\ufdfa" * 200, ANY), "text"),
        (words.query(SCOPE, "a", Where(kind=())), "where.kind"),
        (words.query(SCOPE, "a", ANY, limit=1001), "limit"),
    ):
        with pytest.raises(InvalidRequest) as raised:
            await call
        assert raised.value.param == name
    assert meilisearch.sent == []


async def test_labels_narrow_as_in_the_other_stores(words: MeilisearchStore) -> None:
    await words.create("g-1")
    await check_comparisons(words, SCOPE)
    await check_readers(words, Scope("g-1", "globex"))


async def test_filters_of_every_size_are_asked_whole(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    many = tuple(f'it\'s ["{number}"] OR' for number in range(1000))
    await words.upsert(SCOPE, [point()])
    assert await words.count(SCOPE, Where(path=many, principals=many)) == 0
    assert await words.count(SCOPE, Where(path=(*many[1:], "p"), principals=())) == 1
