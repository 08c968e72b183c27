"""What is to be written of a document, beside what is there of it already."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from indexer.documents.planning import PlannedDocument, plan_document, portions
from indexer.reading.work import CutChunk, ReadDocument
from shared.index.chunk import StoredChunk
from shared.index.document import Document
from shared.index.states import DocumentState

DOCUMENT = Document(
    collection_id="vs_1",
    id="doc_1",
    tenant_id="ten_1",
    source="folder:/src",
    path="a.py",
    state=DocumentState.IN_PROGRESS,
    ver=3,
    size_bytes=100,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    principals=("group:a",),
    attributes={"team": "x"},
)


def test_what_is_new_is_written_and_what_is_there_is_kept() -> None:
    before = _planned("a", "b")
    after = _planned("b", "c", current=_current(before))

    assert _keys(after.fresh) == ["c"]
    assert _keys(after.kept) == ["b"]
    assert set(after.finished().chunks or ()) == {
        each.stored.point_id for each in (*after.fresh, *after.kept)
    }


def test_a_chunk_that_stands_elsewhere_is_moved() -> None:
    before = _planned("a", "b")
    after = _planned("new", "a", "b", current=_current(before))

    assert _keys(after.fresh) == ["new"]
    assert _keys(after.moved) == ["a", "b"]
    assert [(one.first_line, one.path) for one in after.changes()] == [(2, "a.py"), (3, "a.py")]


def test_one_that_stayed_where_it_was_is_not_moved() -> None:
    before = _planned("a", "b")
    after = _planned("a", "other", "b", current=_current(before))
    assert _keys(after.moved) == ["b"]


def test_equal_chunks_are_several_points_and_the_same_ones_each_time() -> None:
    first = [each.stored.point_id for each in _planned("a", "b", "a").fresh]
    assert len({*first}) == 3
    assert [each.stored.point_id for each in _planned("b", "a", "a").fresh] == [
        first[1],
        first[0],
        first[2],
    ]


def test_ids_are_those_of_one_tenant_collection_and_document_alone() -> None:
    others: list[dict[str, Any]] = [{"tenant_id": "2"}, {"collection_id": "2"}, {"id": "2"}]
    ids = {_planned("a", **other).fresh[0].stored.point_id for other in ({}, *others)}
    assert len(ids) == 4


def test_a_passage_carries_who_may_see_it_and_its_delivery() -> None:
    plan = _planned("a")
    passage = plan.passage(plan.fresh[0])
    assert (passage.ver, passage.principals, passage.attributes) == (3, ("group:a",), {"team": "x"})


def test_a_body_that_grows_when_it_is_folded_is_cut() -> None:
    ligature = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}"  # one character becomes 18
    plan = _planned(ligature * 50_000)
    assert len(plan.passage(plan.fresh[0]).body) == 100_000


def test_portions_take_all_chunks_in_order_and_never_more_than_they_may() -> None:
    plans = [_planned(*map(str, range(number))) for number in (5, 0, 1, 9)]
    taken = [*portions(plans, most=4)]

    assert [sum(len(some) for _, some in portion) for portion in taken] == [4, 4, 4, 3]
    for plan in plans:
        mine = [each for portion in taken for one, some in portion if one is plan for each in some]
        assert mine == [*plan.fresh]


def _planned(
    *bodies: str, current: dict[str, StoredChunk] | None = None, **other: Any
) -> PlannedDocument:
    chunks = tuple(_chunk(body, line) for line, body in enumerate(bodies, 1))
    reading = ReadDocument("digest", 100, None, "python", chunks, ())
    document = msgspec.structs.replace(DOCUMENT, **other)
    return plan_document(document, "g-1", reading, current or {})


def _chunk(body: str, line: int) -> CutChunk:
    key = f"key of {body[:20]}"
    return CutChunk(key, "code", "python", "", None, line, line, body, body, body)


def _current(plan: PlannedDocument) -> dict[str, StoredChunk]:
    return {each.stored.point_id: each.stored for each in (*plan.fresh, *plan.kept)}


def _keys(chunks: tuple[Any, ...]) -> list[str]:
    return [each.cut.body for each in chunks]
