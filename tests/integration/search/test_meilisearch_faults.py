"""What a Meilisearch server and the way to it can do wrong, told by the class of the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from aiohttp import web

from shared.errors import ForebayError, NotFound
from shared.search.keyword.meilisearch_store import MeilisearchStore
from shared.search.point import Passage, Point, Scope
from shared.search.query import Where
from shared.search.vector_store import StoreBusy, StoreRefused, StoreUnavailable
from tests.integration.search.described_server import serving
from tests.integration.search.meilisearch_stub import MeilisearchStub, in_turn, refused
from tests.integration.search.qdrant_stub import FIRST, SECOND

SCOPE = Scope("g-1", "acme")
ANY = Where()
POINT = Point(FIRST, Passage("c", "d", "s", "p", "go", "code", 4, "open the file"))


@pytest.mark.parametrize(
    ("status", "code", "headers", "error", "later"),
    [
        (404, "index_not_found", {}, NotFound, None),
        (400, "invalid_search_filter", {}, StoreRefused, None),
        (403, "invalid_api_key", {}, StoreRefused, None),
        (413, "payload_too_large", {}, StoreRefused, None),
        (429, "", {"Retry-After": "3"}, StoreBusy, 3),
        (429, "", {}, StoreBusy, None),
        (429, "", {"Retry-After": "Sun, 29 Nov 2026 14:00:00 GMT"}, StoreBusy, None),
        (503, "too_many_search_requests", {"Retry-After": "10"}, StoreBusy, 10),
        (503, "", {"Retry-After": "10"}, StoreUnavailable, 10),
        (500, "internal", {}, StoreUnavailable, None),
        (507, "no_space_left_on_device", {}, StoreUnavailable, None),
    ],
)
async def test_a_refusal_is_told_by_its_class(
    meilisearch: MeilisearchStub,
    words: MeilisearchStore,
    status: int,
    code: str,
    headers: dict[str, str],
    error: type[ForebayError],
    later: float | None,
) -> None:
    meilisearch.refusal = refused(status, code, headers)
    with pytest.raises(ForebayError, match=r"generation g-1|disk is full") as raised:
        await words.count(SCOPE, ANY)
    assert type(raised.value) is error
    assert raised.value.retry_after_seconds == later


@pytest.mark.parametrize("text", ["<html>a proxy</html>", "", "null", "{}", "[]", '{"hits": 7}'])
async def test_what_is_no_answer_of_meilisearchs_is_an_unavailable_store(
    meilisearch: MeilisearchStub, words: MeilisearchStore, text: str
) -> None:
    meilisearch.refusal = lambda: web.Response(text=text, content_type="application/json")
    for call in (
        words.count(SCOPE, ANY),
        words.query(SCOPE, "open", ANY),
        words.upsert(SCOPE, [POINT]),
        words.delete(SCOPE, [FIRST], ver=4),
        words.generations(),
        words.create("g-1"),
        words.drop("g-1"),
    ):
        with pytest.raises(StoreUnavailable):
            await call


@pytest.mark.parametrize("status", [400, 401, 404, 502])
async def test_a_proxy_that_answers_in_its_place_is_no_missing_generation(
    meilisearch: MeilisearchStub, words: MeilisearchStore, status: int
) -> None:
    meilisearch.refusal = lambda: web.Response(status=status, text="<html>nginx</html>")
    wanted = StoreUnavailable if status >= 500 else StoreRefused
    with pytest.raises(ForebayError, match="nginx") as raised:
        await words.query(SCOPE, "open", ANY)
    assert type(raised.value) is wanted


async def test_a_server_that_is_away_or_dribbles_is_not_waited_for(
    meilisearch: MeilisearchStub, meilisearch_url: str
) -> None:
    away = MeilisearchStore("http://127.0.0.1:1", deadline_seconds=1)
    with pytest.raises(StoreUnavailable):
        await away.generations()
    await away.close()
    meilisearch.dribbles = True
    hasty = MeilisearchStore(meilisearch_url, deadline_seconds=1)
    with pytest.raises(StoreUnavailable, match="within 1 s"):
        await hasty.query(SCOPE, "open", ANY)
    await hasty.close()


async def test_busy_means_that_nothing_of_the_call_was_taken(
    meilisearch: MeilisearchStub,
) -> None:
    async with serving(meilisearch) as url:
        store = MeilisearchStore(url, batch_bytes=1)
        await store.create("g-1")
        meilisearch.refusal = in_turn(None, None, refused(429, "", {"Retry-After": "3"}))
        with pytest.raises(StoreUnavailable) as raised:
            await store.upsert(SCOPE, [POINT, Point(SECOND, POINT.passage)])
        assert type(raised.value) is StoreUnavailable
        assert raised.value.retry_after_seconds == 3
        meilisearch.refusal = in_turn(None, refused(429, ""))
        with pytest.raises(StoreBusy):
            await store.upsert(SCOPE, [POINT, Point(SECOND, POINT.passage)])
        await store.close()


async def test_a_server_that_gives_what_is_anothers_or_nobodys_is_not_believed(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    await words.upsert(SCOPE, [POINT])

    def with_first(**changed: object) -> Callable[[str, Any], Any]:
        return lambda _, told: told | {"hits": [told["hits"][0] | changed]}

    for changed, error in (
        ({"tenant": "globex"}, StoreRefused),
        ({"tenant": None}, StoreRefused),
        ({"ver": "four"}, StoreRefused),
        ({"_rankingScore": None}, StoreUnavailable),
        ({"_matchesPosition": {"body": [{"start": "0", "length": 4}]}}, StoreUnavailable),
    ):
        meilisearch.overridden = with_first(**changed)
        with pytest.raises(ForebayError) as raised:
            await words.query(SCOPE, "open", ANY)
        assert type(raised.value) is error
    wrong = [{"start": 999, "length": 4}, {"start": 0, "length": 0}, {"start": 1, "length": 99}]
    meilisearch.overridden = with_first(_matchesPosition={"body": wrong})
    assert (await words.query(SCOPE, "open", ANY))[0].highlights == ()
    meilisearch.faults.clear()  # they were meant


async def test_what_others_keep_in_the_index_is_named_and_not_written_over(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    theirs = {"id": FIRST, "title": "of another program"}
    meilisearch.indexes["g-1"].documents[FIRST] = theirs
    with pytest.raises(StoreRefused, match="no passage of ours"):
        await words.upsert(SCOPE, [POINT])
    assert meilisearch.indexes["g-1"].documents == {FIRST: theirs}


async def test_a_server_restored_from_an_older_backup_is_written_to_again(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    await words.create("g-1")
    await words.upsert(SCOPE, [POINT])
    backup = msgspec.structs.replace(
        meilisearch.indexes["g-1"], documents=dict(meilisearch.indexes["g-1"].documents)
    )
    later = msgspec.structs.replace(POINT.passage, ver=5, body="open the other file")
    await words.upsert(SCOPE, [Point(FIRST, later), Point(SECOND, later)])
    meilisearch.indexes["g-1"] = backup
    meilisearch.tasks.clear()
    await words.create("g-1")
    await words.upsert(SCOPE, [Point(FIRST, later), Point(SECOND, later)])
    assert [hit.passage for hit in await words.query(SCOPE, "open", ANY)] == [later, later]
    meilisearch.indexes.clear()
    with pytest.raises(NotFound):
        await words.upsert(SCOPE, [POINT])
    await words.create("g-1")
    await words.upsert(SCOPE, [POINT])
    assert await words.count(SCOPE, ANY) == 1


async def test_the_stub_tells_what_the_description_forbids(
    meilisearch: MeilisearchStub, words: MeilisearchStore
) -> None:
    """Else the tests beside it would hold nothing against anything."""
    await words.create("g-1")
    meilisearch.ending = lambda task: task | {"status": "succeeded", "type": "a kind of ours"}
    await words.upsert(SCOPE, [POINT])
    assert any("a kind of ours" in fault for fault in meilisearch.faults)
    meilisearch.faults.clear()
