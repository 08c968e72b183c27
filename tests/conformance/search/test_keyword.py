"""What every store of words promises, on a real server: `FOREBAY_TEST_MEILISEARCH_URL`.

What is sent, and what is made of an answer, is tested without one in tests/integration/search.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.errors import NotFound
from shared.search.keyword.keyword_store import KeywordStore
from shared.search.keyword.meilisearch_store import MeilisearchStore
from shared.search.point import Change, Point, Scope
from shared.search.query import Where
from tests.conformance.search.keyword_labels import check_comparisons, check_readers
from tests.conformance.search.passages import ANY, id_of, passage, point

MEILISEARCH = "FOREBAY_TEST_MEILISEARCH_URL"
KEY = "FOREBAY_TEST_MEILISEARCH_KEY"
NAME = f"conformance-{os.getpid()}"
pytestmark = pytest.mark.asyncio(loop_scope="session")
if MEILISEARCH not in os.environ:
    pytest.skip(f"{MEILISEARCH} names no server", allow_module_level=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def words() -> AsyncIterator[KeywordStore]:
    store = MeilisearchStore(os.environ[MEILISEARCH], api_key=os.environ.get(KEY))
    await store.create(NAME)
    yield store
    await store.drop(NAME)
    await store.close()


@pytest.fixture
def scope() -> Scope:
    """A tenant that has nothing yet; its name has letters that differ by case alone."""
    return Scope(NAME, f"Tenant-{uuid.uuid4()}")


async def found(store: KeywordStore, scope: Scope, text: str, where: Where = ANY) -> list[str]:
    """The bodies, best first."""
    return [hit.passage.body for hit in await store.query(scope, text, where)]


async def test_it_is_made_twice_and_dropped_twice(words: KeywordStore) -> None:
    name = f"{NAME}-2"
    await words.create(name)
    await words.create(name)
    assert {NAME, name} <= set(await words.generations())
    await words.drop(name)
    await words.drop(name)
    assert name not in await words.generations()
    gone = Scope(name, "t")
    with pytest.raises(NotFound):
        await words.upsert(gone, [point(gone, "a")])
    with pytest.raises(NotFound):
        await words.query(gone, "parcel", ANY)
    assert name not in await words.generations()


async def test_what_is_written_is_found_at_once_and_comes_back_whole(
    words: KeywordStore, scope: Scope
) -> None:
    held = point(scope, "a", "nul \0 and 💥 {} parcel", path="a\0b/💥 'x\" OR", ver=2**53 - 1)
    await words.upsert(scope, [held])
    (hit,) = await words.query(scope, "parcel", Where(path=("a\0b/💥 'x\" OR",)))
    assert (hit.id, hit.passage) == (held.id, held.passage)
    assert 0 < hit.score <= 1
    assert await found(words, scope, "parcel", Where(path=("a",))) == []


async def test_names_are_found_by_their_parts_and_words_by_their_beginning(
    words: KeywordStore, scope: Scope
) -> None:
    await words.upsert(
        scope,
        [
            point(scope, "a", "def run", symbol="getUserName"),
            point(scope, "b", "call fetch_remote_index once"),
            point(scope, "c", "größe der Pakete"),
        ],
    )
    assert await found(words, scope, "user name") == ["def run"]
    assert await found(words, scope, "getUserName") == ["def run"]
    assert await found(words, scope, "remote index") == ["call fetch_remote_index once"]
    assert await found(words, scope, "pak") == ["größe der Pakete"]
    assert await found(words, scope, "grosse Pakete") == ["größe der Pakete"]


async def test_typing_errors_are_forgiven_in_text_and_not_in_names(
    words: KeywordStore, scope: Scope
) -> None:
    await words.upsert(
        scope,
        [
            point(scope, "a", "the elephant sleeps"),
            point(scope, "b", "nothing", symbol="hippopotamus"),
        ],
    )
    assert await found(words, scope, "elepant") == ["the elephant sleeps"]
    assert await found(words, scope, "hippopotamos") == []


async def test_a_tenant_differs_by_case_alone(words: KeywordStore, scope: Scope) -> None:
    other = Scope(NAME, scope.tenant.swapcase())
    await words.upsert(scope, [point(scope, "a", "parcel ours")])
    await words.upsert(other, [Point(id_of(scope, "b"), passage("parcel theirs"))])
    assert await found(words, scope, "parcel") == ["parcel ours"]
    assert await found(words, other, "parcel") == ["parcel theirs"]
    await words.upsert(other, [Point(id_of(scope, "a"), passage("stolen", ver=9))])
    await words.delete(other, [id_of(scope, "a")], ver=9)
    assert await found(words, scope, "parcel stolen") == ["parcel ours"]
    assert (await words.count(scope, ANY), await words.count(other, ANY)) == (1, 1)


async def test_an_older_delivery_changes_nothing(words: KeywordStore, scope: Scope) -> None:
    await words.upsert(scope, [point(scope, "a", "parcel new", ver=5)])
    await words.upsert(scope, [point(scope, "a", "parcel old", ver=4)])
    await words.delete(scope, [id_of(scope, "a")], ver=4)
    await words.change(scope, [Change(id_of(scope, "a"), "older", 1, 1)], ver=4)
    assert await found(words, scope, "parcel", Where(path=("docs/guide.md",))) == ["parcel new"]
    await words.change(scope, [Change(id_of(scope, "a"), "moved", 7, 9)], ver=6)
    (hit,) = await words.query(scope, "parcel", Where(path=("moved",)))
    assert (hit.passage.first_line, hit.passage.last_line, hit.passage.ver) == (7, 9, 6)
    assert await words.count(scope, Where(below_ver=6)) == 0
    assert await words.ids(scope, Where(below_ver=6)) == ()
    assert await words.ids(scope, Where(below_ver=7)) == (id_of(scope, "a"),)
    await words.delete(scope, [id_of(scope, "a")], ver=6)
    assert await words.count(scope, ANY) == 0


async def test_questions_are_narrowed(words: KeywordStore, scope: Scope) -> None:
    long = "p/" * 1000
    await words.upsert(
        scope,
        [
            point(scope, "a", "parcel one", collection="vs_A", path=long + "a"),
            point(scope, "b", "parcel two", collection="vs_a", path=long + "b"),
        ],
    )
    assert await found(words, scope, "parcel", Where(collection=("vs_A",))) == ["parcel one"]
    assert await found(words, scope, "parcel", Where(path=(long + "b",))) == ["parcel two"]
    assert await words.count(scope, Where(collection=("vs_A", "vs_a"), kind=("prose",))) == 2


async def test_words_are_marked_where_they_stand(words: KeywordStore, scope: Scope) -> None:
    body = "💥 Öffnen: das Paket, das Paket"
    await words.upsert(scope, [point(scope, "a", body)])
    (hit,) = await words.query(scope, "Paket", ANY)
    marked = [body[each.start : each.end] for each in hit.highlights if each.field == "body"]
    assert marked == ["Paket", "Paket"]


async def test_signs_are_no_question_and_no_operators(words: KeywordStore, scope: Scope) -> None:
    await words.upsert(scope, [point(scope, "a", "parcel")])
    for nothing in ("", " ", "\0", '"', "!!!", "_", "💥", "\u0640", "\u202e"):
        assert await found(words, scope, nothing) == []
    assert await found(words, scope, "-parcel") == ["parcel"]
    assert await found(words, scope, '"parcel') == ["parcel"]


async def test_long_questions_and_long_passages_are_found(
    words: KeywordStore, scope: Scope
) -> None:
    body = "filler " * 14_000 + "zyxomma"
    await words.upsert(scope, [point(scope, "a", body)])
    assert await found(words, scope, "where is the zyxomma") == [body]
    assert await found(words, scope, "a b c d e f g h i j k l m n zyxomma") == [body]


async def test_every_comparison_finds_what_it_says(words: KeywordStore, scope: Scope) -> None:
    await check_comparisons(words, scope)


async def test_a_passage_is_found_by_whom_it_is_for(words: KeywordStore, scope: Scope) -> None:
    await check_readers(words, scope)
