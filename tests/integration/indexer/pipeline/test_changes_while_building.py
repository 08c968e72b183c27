"""What changes while a generation is built is found at once in the one that is searched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest
import pytest_asyncio

from shared.clock import SystemClock
from shared.embeddings.encoder import DualEncoders
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.collections.figures import CollectionFigures
from shared.index.collections.generations import CollectionGenerations
from shared.index.documents.changing import DocumentChanges
from shared.index.documents.passage_rows import PassageRows
from shared.index.documents.rebuilding import Rebuilding
from shared.index.states import DocumentState
from shared.index.symbol_table import SymbolTable
from shared.retrieval.asking.generation_search import GenerationSearch
from shared.retrieval.asking.question_vectors import QuestionVectors
from shared.retrieval.asking.store_legs import StoreLegs
from shared.retrieval.asking.symbol_leg import SymbolLeg
from shared.retrieval.legs import LegName
from shared.retrieval.routing import SearchMode
from shared.retrieval.search import Search
from shared.retrieval.search_request import SearchRequest
from shared.search.point import Scope
from shared.search.query import Query, TextVector, Where
from shared.settings.indexing.search import SearchSettings
from shared.telemetry.metrics import Metrics
from tests.integration.indexer.pipeline.indexing_stage import CountingEncoder, IndexingStage

pytestmark = pytest.mark.asyncio(loop_scope="session")
MANY: Final = 70
"""Documents: more than two slices of the pipeline have."""
ALL_DIRECTIONS: Final = [1.0] * 8


@pytest_asyncio.fixture(loop_scope="session")
async def building(stage: IndexingStage) -> AsyncIterator[IndexingStage]:
    """An indexer of other models that has begun to build, and has built nothing yet."""
    for number in range(MANY):
        stage.write(f"{number}.md", f"Number{number} lies here.\n")
    await stage.offer()
    await stage.index()
    newer = with_models(stage, "counting/2")
    await newer.machinery.generations()
    yield newer


async def test_an_edit_and_a_new_document_are_found_before_the_swap(
    stage: IndexingStage, building: IndexingStage
) -> None:
    stage.write("3.md", "Three was edited.\n")
    stage.write("new.py", "def fresh_function():\n    return 'pear'\n")
    await stage.offer("job_2")
    await building.machinery.pipeline.slice()

    assert await waiting(stage) > MANY // 2, "most is still to be built"
    assert await paths_of(stage, "edited") == ["3.md"]
    assert await paths_of(stage, "pear") == ["new.py"]
    symbols = {LegName.SYMBOLS: 1.0}
    assert await paths_of(stage, "fresh_function", weights=symbols) == ["new.py"]
    assert await paths_of(stage, "Number3") == [], "what it said before is found no more"
    assert await paths_of(stage, "Number9") == ["9.md"]


async def test_a_second_edit_and_a_removal_hold_as_well_and_the_swap_has_all_of_it(
    stage: IndexingStage, building: IndexingStage
) -> None:
    stage.write("3.md", "Three was edited.\n\n# Later\n\nIt stays.\n")
    await stage.offer("job_2")
    await building.machinery.pipeline.slice()
    stage.write("3.md", "Three was edited twice.\n\n# Later\n\nIt stays.\n")
    await stage.offer("job_3")
    gone = (await stage.documents())["4.md"]
    await DocumentChanges(stage.ground.database, stage.ground.clock).remove(
        stage.tenant, stage.collection.id, [gone.id]
    )
    await building.machinery.pipeline.slice()
    assert await waiting(stage) > 0
    assert await paths_of(stage, "twice") == ["3.md"]
    assert await paths_of(stage, "stays") == ["3.md"]
    assert await paths_of(stage, "Number4") == []

    swapped = await swap(building)
    assert swapped.next_generation is None
    assert swapped.generation == building.machinery.generations.name
    now = stage.of(swapped)
    assert await paths_of(now, "twice") == ["3.md"]
    assert await paths_of(now, "Number4") == []
    assert await now.points() == {*await points_with_vectors(now)}
    assert len(await now.points()) == MANY


async def test_the_same_models_write_vectors_in_both(
    stage: IndexingStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.write("a.md", "Formerly so.\n")
    stage.write("b.md", "Other words.\n")
    await stage.offer()
    await stage.index()
    monkeypatch.setattr("shared.index.generation_name.SPLITTER_VERSION", 2)
    newer = stage.beside()
    await newer.machinery.generations()
    stage.write("a.md", "Nowadays so.\n")
    await stage.offer("job_2")
    await stage.indexed()
    await newer.until_indexed()

    assert await paths_of(stage, "Nowadays") == ["a.md"]
    assert {*await points_with_vectors(stage)} == await stage.points()
    assert len(await stage.indexed()) == 1, "of an edit, and once for both"


async def test_a_new_reader_finds_in_the_one_that_is_searched_what_waits_and_what_is_built(
    stage: IndexingStage, building: IndexingStage
) -> None:
    changes = DocumentChanges(stage.ground.database, stage.ground.clock)
    stage.write("0.md", "Zero was edited.\n")
    await stage.offer("job_2")
    await building.machinery.pipeline.slice()
    for path in ("0.md", "1.md"):
        id_ = (await stage.documents())[path].id
        await changes.label(stage.tenant, stage.collection.id, id_, principals=("ann",))
    await building.machinery.pipeline.slice()
    for principals, found in ((("ann",), ["1.md"]), (("bob",), [])):
        assert await paths_of(stage, "Number1", principals=principals) == found
        edited = ["0.md"] if found else []
        assert await paths_of(stage, "Zero edited", principals=principals) == edited


async def test_what_was_found_by_words_alone_gets_its_vectors_where_a_build_is_abandoned(
    stage: IndexingStage, building: IndexingStage
) -> None:
    stage.write("3.md", "Three was edited.\n")
    await stage.offer("job_2")
    await building.machinery.pipeline.slice()
    assert {*await points_with_vectors(stage)} < await stage.points()

    parts = stage.ground.database, stage.ground.clock
    place = stage.tenant, stage.collection.id
    await CollectionGenerations(*parts).abandon(*place)
    await Rebuilding(*parts).offer_next(*place)
    await stage.until_indexed()
    assert await paths_of(stage, "edited") == ["3.md"]
    assert {*await points_with_vectors(stage)} == await stage.points()


async def test_a_searched_generation_that_its_store_lost_stops_no_build(
    stage: IndexingStage, building: IndexingStage
) -> None:
    stage.write("3.md", "Three was edited.\n")
    await stage.offer("job_2")
    await stage.ground.vectors.drop(stage.collection.generation)
    swapped = await swap(building)
    assert await paths_of(stage.of(swapped), "edited") == ["3.md"]


def with_models(stage: IndexingStage, name: str) -> IndexingStage:
    encoder = CountingEncoder(name=name)
    return stage.beside(encoders=DualEncoders(encoder, encoder))


async def swap(building: IndexingStage) -> Collection:
    await building.until_indexed()
    building.machinery.generations._swap_at.clear()
    await building.machinery.generations()
    return await found(building)


async def found(stage: IndexingStage) -> Collection:
    catalogue = CollectionCatalogue(stage.ground.database, stage.ground.clock)
    return await catalogue.find(stage.tenant, stage.collection.id)


async def waiting(stage: IndexingStage) -> int:
    documents = (await stage.documents()).values()
    return sum(each.state is DocumentState.PENDING for each in documents)


async def paths_of(stage: IndexingStage, text: str, **asked: object) -> list[str]:
    """What a search finds by words and symbols, as the collection is now."""
    database, clock = stage.ground.database, SystemClock()
    search = Search(
        QuestionVectors(None, timeout_seconds=60),
        GenerationSearch(
            StoreLegs(stage.ground.vectors, timeout_seconds=60),
            SymbolLeg(SymbolTable(database), timeout_seconds=60),
        ),
        PassageRows(database),
        CollectionCatalogue(database, clock),
        CollectionFigures(database),
        SearchSettings(),
        Metrics(),
        clock=clock,
        available=frozenset({LegName.WORDS, LegName.SYMBOLS}),
    )
    make: Callable[..., SearchRequest] = SearchRequest
    wanted: dict[str, object] = {"mode": SearchMode.KEYWORD} | asked
    result = await search.search(
        make(tenant_id=stage.tenant, collections=(await found(stage),), text=text, **wanted)
    )
    return sorted({hit.passage.path for hit in result.hits})


async def points_with_vectors(stage: IndexingStage) -> list[str]:
    """Ids of all points that are found by a vector."""
    query = Query((TextVector(ALL_DIRECTIONS, depth=500),), None, Where(), limit=500)
    scope = Scope((await found(stage)).generation, stage.tenant)
    answer = await stage.ground.vectors.query(scope, query)
    return [each.id for each in answer.apart[0]]
