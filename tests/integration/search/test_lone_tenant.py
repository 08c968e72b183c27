"""Where a tenant has a generation for itself, it is asked in another way, with the same result."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.search.embedded.asking_engine import ask
from shared.search.embedded.calls import DeleteCall, UpsertCall
from shared.search.embedded.engine_config import indexes
from shared.search.embedded.engine_shard import EngineShard
from shared.search.embedded.filtering import FIRST
from shared.search.embedded.open_generation import OpenGeneration
from shared.search.embedded.places import GenerationPlace
from shared.search.generation import Generation
from shared.search.point import Passage, Point, Scope, point_id
from shared.search.query import Query, Words

GENERATION = Generation("g", text_dimensions=4, code_dimensions=2)
QUERY = Query((Words("rare common"),), None, limit=20)


def write(scope: Scope, bodies: list[str]) -> UpsertCall:
    points = tuple(
        Point(
            point_id(tenant=scope.tenant, source="s", document="d", key=str(number), ordinal=0),
            Passage("c", "d", "s", "p", "text", "prose", 1, body),
        )
        for number, body in enumerate(bodies)
    )
    return UpsertCall(scope, points)


@pytest.fixture
def opened(folder: Path) -> OpenGeneration:
    place = GenerationPlace(folder, "g")
    EngineShard.create(GENERATION, place.begin(GENERATION))
    place.finish()
    return OpenGeneration(place)


def test_both_ways_of_counting_give_the_same_scores(opened: OpenGeneration) -> None:
    mine = Scope("g", "mine")
    assert opened.tenants() == set()
    bodies = ["common words"] * 9 + ["rare common word", "rare", "rare rare words"]
    opened.write(write(mine, bodies))
    gone = write(mine, bodies).points[0].id
    opened.write(DeleteCall(mine, (gone,), 1))
    assert opened.tenants() == {"mine"}
    alone, counted = (
        ask(opened.shard, mine, QUERY, is_alone=is_alone) for is_alone in (True, False)
    )
    assert len(alone.apart[0]) == 11
    assert [hit.score for hit in alone.apart[0]] == pytest.approx(
        [hit.score for hit in counted.apart[0]]
    )
    opened.close()


def test_who_writes_first_is_known_to_the_next_question(opened: OpenGeneration) -> None:
    opened.write(write(Scope("g", "mine"), ["rare"]))
    assert opened.tenants() == {"mine"}
    opened.write(write(Scope("g", "other"), ["rare"]))
    assert opened.tenants() == {"mine", "other"}
    opened.close()


def found(opened: OpenGeneration, scope: Scope) -> set[str]:
    """Its bodies, by the quickest way that there is."""
    is_alone = opened.tenants() == {scope.tenant}
    answer = ask(opened.shard, scope, QUERY, is_alone=is_alone)
    return {hit.passage.body for hit in answer.apart[0]}


def reopened(opened: OpenGeneration, folder: Path) -> OpenGeneration:
    opened.close()
    return OpenGeneration(GenerationPlace(folder, "g"))


def test_a_mark_shows_nobody_what_is_anothers(opened: OpenGeneration, folder: Path) -> None:
    """Not even if the owner took a tenant for alone that is not."""
    first, other = Scope("g", "first"), Scope("g", "other")
    opened.write(write(first, ["rare first"]))
    opened.write(write(other, ["rare other"]))
    for _ in range(2):
        assert opened.shard.first_tenant == "first"
        for scope in (first, other):
            answer = ask(opened.shard, scope, QUERY, is_alone=True)
            assert [hit.passage.body for hit in answer.apart[0]] == [f"rare {scope.tenant}"]
        opened = reopened(opened, folder)
    opened.close()


def test_who_was_not_the_first_finds_all_when_the_first_has_left(
    opened: OpenGeneration, folder: Path
) -> None:
    first, other = Scope("g", "first"), Scope("g", "other")
    written = write(first, ["rare first"])
    opened.write(written)
    opened.write(write(other, ["rare before"]))
    opened.write(DeleteCall(first, tuple(each.id for each in written.points), 1))
    opened = reopened(opened, folder)
    assert opened.shard.first_tenant is None
    both = write(other, ["rare before", "rare behind"])
    opened.write(UpsertCall(other, both.points[1:]))
    assert opened.tenants() == {"other"}
    assert found(opened, other) == {"rare before", "rare behind"}
    opened.close()


def test_a_shard_that_is_older_than_the_mark_is_asked_as_before(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = {field: index for field, index in indexes().items() if field != FIRST}
    monkeypatch.setattr("shared.search.embedded.engine_shard.indexes", lambda: older)
    place = GenerationPlace(folder, "g")
    EngineShard.create(GENERATION, place.begin(GENERATION))
    place.finish()
    opened = OpenGeneration(place)
    mine = Scope("g", "mine")
    opened.write(write(mine, ["rare"]))
    assert opened.shard.first_tenant is None
    assert found(opened, mine) == {"rare"}
    opened.close()
