"""Documents on their road into the stores, and what is written of them there and in the ledger."""

from __future__ import annotations

import asyncio
import os

import pytest

from shared.index.documents.changing import DocumentChanges
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage

pytestmark = pytest.mark.asyncio(loop_scope="session")
DUCKS = "# Ducks\n\nThey swim.\n"


async def test_what_is_offered_is_found_and_the_ledger_knows_it(stage: IndexingStage) -> None:
    stage.write("a.md", DUCKS)
    stage.write("b.py", "def quack():\n    '''Say it.'''\n    return 'quack'\n")
    await stage.offer()
    await stage.index()

    assert [path for path, *_ in await stage.found("swim")] == ["a.md"]
    assert [path for path, *_ in await stage.found("quack")] == ["b.py"]
    documents = await stage.documents()
    assert {each.state.value for each in documents.values()} == {"completed"}
    assert documents["b.py"].language == "python"
    await stage.adds_up()


async def test_a_file_without_text_is_a_document_without_chunks(stage: IndexingStage) -> None:
    stage.write("empty.py", "")
    await stage.offer()
    await stage.index()
    document = (await stage.documents())["empty.py"]
    assert (document.state.value, document.passages) == ("completed", 0)


async def test_a_second_scan_of_the_same_reads_nothing(stage: IndexingStage) -> None:
    stage.write("a.md", DUCKS)
    os.utime(stage.folder / "a.md", (1, 1))
    await stage.offer()
    await stage.index()
    before = await stage.documents()

    assert (await stage.offer("job_2")).changed == 0
    await stage.index()
    after = await stage.documents()
    assert (after["a.md"].ver, after["a.md"].indexed_at) == (1, before["a.md"].indexed_at)


async def test_a_file_that_was_only_touched_is_not_embedded_again(stage: IndexingStage) -> None:
    stage.write("a.md", DUCKS)
    await stage.offer()
    await stage.index()
    await stage.indexed()

    os.utime(stage.folder / "a.md", (5, 5))
    assert (await stage.offer("job_2")).changed == 1
    await stage.index()

    assert await stage.indexed() == []
    document = (await stage.documents())["a.md"]
    assert (document.state.value, document.modified_ns) == ("completed", 5_000_000_000)
    assert document.passages == 1
    await stage.adds_up()


async def test_an_edit_embeds_what_it_changed_and_moves_the_rest(stage: IndexingStage) -> None:
    stage.write("code.py", functions(range(20)))
    await stage.offer()
    await stage.index()
    was_at = await stage.found("quack19")
    await stage.indexed()

    stage.write("code.py", functions(range(20)).replace("number 7 ", "number\n    seven "))
    await stage.offer("job_2")
    await stage.index()

    assert len({*await stage.indexed()}) <= 2  # of one function: its words and its code
    [(path, line, ver)] = await stage.found("quack19")
    assert (path, line, ver) == ("code.py", was_at[0][1] + 1, 2)
    assert await stage.found("seven")
    await stage.adds_up()


async def test_what_moves_to_another_file_is_not_embedded_again(stage: IndexingStage) -> None:
    stage.write("old.py", functions(range(3)))
    await stage.offer()
    await stage.index()
    await stage.indexed()

    (stage.folder / "old.py").rename(stage.folder / "new.py")
    await stage.offer("job_2")
    await remove(stage, "old.py")
    await stage.index()

    assert await stage.indexed() == []
    assert {path for path, *_ in await stage.found("quack1")} == {"new.py"}
    await stage.adds_up()


async def test_what_was_removed_and_comes_again_is_not_embedded_again(
    stage: IndexingStage,
) -> None:
    stage.write("a.py", functions(range(3)))
    await stage.offer()
    await stage.index()
    await stage.indexed()
    await remove(stage, "a.py")
    await stage.index()
    assert await stage.points() == set()
    assert await stage.chunk_rows() == {}

    await stage.offer("job_2")
    await stage.until_indexed()
    assert await stage.indexed() == []
    assert await stage.found("quack2")
    await stage.adds_up()


async def test_chunks_that_are_gone_from_a_document_leave_the_store(stage: IndexingStage) -> None:
    stage.write("a.py", functions(range(6)))
    await stage.offer()
    await stage.index()
    stage.write("a.py", functions(range(2)))
    await stage.offer("job_2")
    await stage.index()

    assert await stage.found("quack5") == []
    await stage.adds_up()


async def test_a_file_that_becomes_binary_leaves_the_index(stage: IndexingStage) -> None:
    stage.write("a.txt", "Words.\n")
    await stage.offer()
    await stage.index()
    (stage.folder / "a.txt").write_bytes(b"Words.\0")
    await stage.offer("job_2")
    await stage.index()

    document = (await stage.documents())["a.txt"]
    assert (document.state.value, document.error_code) == ("skipped", "binary")
    assert await stage.points() == set()

    stage.write("a.txt", "Words.\n")
    await stage.offer("job_3")
    await stage.index()
    assert await stage.found("words")
    await stage.adds_up()


async def test_a_job_of_many_documents_is_taken_in_slices(stage: IndexingStage) -> None:
    for number in range(100):
        stage.write(f"{number}.md", f"# Number {number}\n\nOf a hundred.\n")
    await stage.offer()
    slices = []
    while taken := await stage.machinery.pipeline.slice():
        slices.append(len(taken))

    assert sum(slices) == 100
    assert max(slices) <= 32
    await stage.adds_up()


async def test_two_indexers_share_the_work(stage: IndexingStage) -> None:
    for number in range(80):
        stage.write(f"{number}.md", f"# Number {number}\n\nOf eighty.\n")
    await stage.offer()
    await asyncio.gather(stage.index(), stage.beside().index())

    assert len(await stage.indexed()) == 80, "each of them was embedded once"
    assert {each.attempt for each in (await stage.documents()).values()} == {1}
    await stage.adds_up()


def functions(numbers: range) -> str:
    """So many functions, each large enough to be a chunk of its own."""
    return "\n\n".join(
        f"def quack{each}():\n"
        f"    '''This function is number {each} of its module, and it says so at some length.'''\n"
        + "".join(f"    value_{line} = {each} * {line} + {line}\n" for line in range(18))
        for each in numbers
    )


async def remove(stage: IndexingStage, path: str) -> None:
    document = (await stage.documents())[path]
    changes = DocumentChanges(stage.ground.database, stage.ground.clock)
    assert await changes.remove(stage.tenant, stage.collection.id, [document.id]) == 1
