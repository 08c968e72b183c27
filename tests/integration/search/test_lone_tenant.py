"""Where a tenant has a generation for itself, its words are counted once, with the same result."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.search.embedded.asking_engine import ask
from shared.search.embedded.calls import DeleteCall, UpsertCall
from shared.search.embedded.engine_shard import EngineShard
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
        ask(opened.shard.shard, mine, QUERY, is_alone=is_alone) for is_alone in (True, False)
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
