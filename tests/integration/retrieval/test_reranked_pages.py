"""Pages of what a reranker has ordered: whatever comes between two of them."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from shared.errors import InvalidRequest
from shared.index.collections.collection import Collection

from .rerank_server import RerankServer, share
from .reranked_asking import QUESTION, Asking, settings_of, told
from .searched_index import SearchedIndex, paths

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_pages_are_cut_from_one_order_and_every_hit_comes_once(
    index: SearchedIndex, docs: Collection, server: RerankServer
) -> None:
    fused = paths(await Asking(index, docs, settings_of(server))(reranks=False))
    ask = Asking(index, docs, settings_of(server, candidates=4))

    pages = await ask.pages(limit=3)

    window, rest = set(fused[:4]), set(fused[4:])
    assert [len(page.hits) for page in pages] == [3, 1, 2]
    shown = [path for page in pages for path in paths(page)]
    assert (set(shown[:4]), set(shown[4:])) == (window, rest)
    for part in (pages[0].hits + pages[1].hits, pages[2].hits):
        scores = [hit.score for hit in part]
        assert scores == sorted(scores, reverse=True)
    assert [told(page) for page in pages] == [[(4, None)], [], [(2, None)]]
    assert [len(asked["documents"]) for asked in server.asked] == [4, 2]


async def test_a_cursor_goes_with_its_question_alone_and_names_what_changed(
    index: SearchedIndex, docs: Collection, server: RerankServer
) -> None:
    ask = Asking(index, docs, settings_of(server))
    first = await ask(limit=2)

    for other in ({"score_threshold": 0.1}, {"reranks": False}, {"cursor": "x"}):
        with pytest.raises(InvalidRequest) as refused:
            await ask(**{"limit": 2, "cursor": first.next_cursor, **other})
        assert refused.value.param == "cursor"
    await index.put(docs, "more.md", "Salt.")
    assert (await ask(limit=2, cursor=first.next_cursor)).changed == (docs.id,)
    with pytest.raises(InvalidRequest, match="limit"):
        await ask(limit=101)


async def test_a_page_that_is_larger_than_the_one_before_loses_nothing(
    index: SearchedIndex, docs: Collection, server: RerankServer
) -> None:
    ask = Asking(index, docs, settings_of(server, candidates=4))

    pages = [await ask(limit=2)]
    while cursor := pages[-1].next_cursor:
        pages.append(await ask(limit=6, cursor=cursor))

    assert [len(page.hits) for page in pages] == [2, 2, 2]
    assert len({path for page in pages for path in paths(page)}) == 6


async def test_a_reranker_that_is_set_to_read_more_meanwhile_loses_nothing(
    index: SearchedIndex, docs: Collection, server: RerankServer
) -> None:
    first = await Asking(index, docs, settings_of(server, candidates=4))(limit=2)
    ask = Asking(index, docs, settings_of(server, candidates=6))

    pages = [first, await ask(limit=2, cursor=first.next_cursor)]
    while cursor := pages[-1].next_cursor:
        pages.append(await ask(limit=2, cursor=cursor))

    shown = [path for page in pages for path in paths(page)]
    assert (len(shown), len({*shown})) == (6, 6)


async def test_a_score_stays_that_of_its_passage_when_the_collection_changes(
    index: SearchedIndex, docs: Collection, server: RerankServer
) -> None:
    ask = Asking(index, docs, settings_of(server))
    first = await ask(limit=2)
    await index.put(docs, "new.md", f"{QUESTION} {QUESTION}")

    second = await ask(limit=10, cursor=first.next_cursor)

    assert second.changed == (docs.id,)
    assert len(second.hits) == 4
    for hit in second.hits:
        read = f"{hit.passage.header}\n{hit.passage.body}"
        assert hit.score == share(QUESTION, read)
    assert not {*paths(first)} & {*paths(second)}


FORGED: list[Any] = [
    pytest.param(lambda place: [*place[:3], 0, *place[4:]], id="no size"),
    pytest.param(lambda place: [*place[:3], 101, *place[4:]], id="too many"),
    pytest.param(lambda place: [*place[:5], place[5][:1]], id="a score is missing"),
    pytest.param(lambda place: [*place[:5], [2.0] * len(place[4])], id="scores beyond 1"),
    pytest.param(lambda place: [*place[:5], [float("nan")] * len(place[4])], id="NaN"),
    pytest.param(lambda place: [*place[:4], [-50] * len(place[4]), place[5]], id="places"),
    pytest.param(lambda place: place[:1], id="cut"),
]


@pytest.mark.parametrize("forge", FORGED)
async def test_a_cursor_that_somebody_wrote_himself_is_refused(
    index: SearchedIndex, docs: Collection, server: RerankServer, forge: Any
) -> None:
    ask = Asking(index, docs, settings_of(server))
    first = await ask(limit=2)
    assert first.next_cursor is not None
    place = msgspec.msgpack.decode(base64.urlsafe_b64decode(first.next_cursor + "=="))

    written = base64.urlsafe_b64encode(msgspec.msgpack.encode(forge(place))).decode().rstrip("=")

    with pytest.raises(InvalidRequest, match="hand back next_cursor") as refused:
        await ask(limit=2, cursor=written)
    assert refused.value.param == "cursor"
