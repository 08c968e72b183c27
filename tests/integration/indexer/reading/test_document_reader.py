"""Documents are read in processes of their own, whose end or silence is the end of nothing else."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from indexer.reading.document_reader import DocumentReader
from indexer.reading.work import (
    ContentToRead,
    FileToRead,
    LeftOutDocument,
    ReadDocument,
    UnchangedDocument,
    UncutDocument,
)

LIMIT_BYTES = 1_000_000
POSTED = ContentToRead("a.md", b"# Title\n\nWhat it says.\n")


@pytest_asyncio.fixture
async def reader() -> AsyncIterator[DocumentReader]:
    reader = DocumentReader(processes=1, patience_seconds=60)
    yield reader
    await reader.close()


async def test_a_file_is_read_cut_and_outlined(reader: DocumentReader, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import json\n\n\ndef greet():\n    return json.dumps('hello')\n"
    )
    os.utime(tmp_path / "a.py", (1, 1))
    read = await reader.read(FileToRead("a.py", str(tmp_path), LIMIT_BYTES))

    assert isinstance(read, ReadDocument)
    assert read.language == "python"
    assert read.modified_ns == 1_000_000_000
    assert "greet" in read.chunks[0].body
    assert [(each.role.value, each.name) for each in read.symbols] == [
        ("import", "json"),
        ("definition", "greet"),
        ("call", "dumps"),
    ]


async def test_what_is_known_is_not_cut_again(reader: DocumentReader, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The same.")
    first = await reader.read(FileToRead("a.txt", str(tmp_path), LIMIT_BYTES))
    assert isinstance(first, ReadDocument)

    again = FileToRead("a.txt", str(tmp_path), LIMIT_BYTES, known_digest=first.digest)
    assert isinstance(await reader.read(again), UnchangedDocument)


async def test_a_file_of_this_moment_is_looked_at_again(
    reader: DocumentReader, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("Now.")
    later = time.time() + 60
    os.utime(tmp_path / "a.txt", (later, later))
    read = await reader.read(FileToRead("a.txt", str(tmp_path), LIMIT_BYTES))

    assert isinstance(read, ReadDocument)
    assert read.modified_ns is None, "a change within the same tick would not be seen"


async def test_a_file_that_is_gone_is_left_out(reader: DocumentReader, tmp_path: Path) -> None:
    gone = await reader.read(FileToRead("gone.txt", str(tmp_path), LIMIT_BYTES))
    assert isinstance(gone, LeftOutDocument)


async def test_what_is_no_pdf_is_told_as_uncut(reader: DocumentReader) -> None:
    read = await reader.read(ContentToRead("a.pdf", b"%PDF-1.7 and nothing else"))
    assert isinstance(read, UncutDocument)
    assert "PDF" in read.why


async def test_a_reader_that_dies_costs_its_document_alone(reader: DocumentReader) -> None:
    assert isinstance(await reader.read(POSTED), ReadDocument)
    os.kill(_child(reader), signal.SIGSTOP)
    reading = asyncio.create_task(reader.read(POSTED))
    await asyncio.sleep(0)
    os.kill(_child(reader), signal.SIGKILL)

    assert isinstance(await reading, UncutDocument)
    assert isinstance(await reader.read(POSTED), ReadDocument)


async def test_a_reader_that_stalls_is_ended_and_the_next_document_is_read() -> None:
    reader = DocumentReader(processes=1, patience_seconds=60)
    assert isinstance(await reader.read(POSTED), ReadDocument)
    reader._patience_seconds = 0.2
    os.kill(_child(reader), signal.SIGSTOP)
    read = await reader.read(POSTED)
    assert read == UncutDocument("It was not read and cut within 0.2 seconds.")

    reader._patience_seconds = 60
    assert isinstance(await reader.read(POSTED), ReadDocument)
    await reader.close()


async def test_a_reader_that_is_silent_is_ended(reader: DocumentReader) -> None:
    patient = DocumentReader(processes=1, patience_seconds=60)
    assert isinstance(await patient.read(POSTED), ReadDocument)
    hasty = DocumentReader(processes=1, patience_seconds=0.05)
    read = await hasty.read(ContentToRead("a.txt", b"Its process starts more slowly than that."))

    assert isinstance(read, UncutDocument)
    assert "0.05 seconds" in read.why
    await patient.close()
    await hasty.close()


async def test_many_share_the_processes_and_get_their_own_answers() -> None:
    reader = DocumentReader(processes=2)
    wanted = [ContentToRead("a.txt", f"Number {number}.".encode()) for number in range(50)]
    read = await asyncio.gather(*map(reader.read, wanted))
    await reader.close()

    said = [each.chunks[0].body for each in read if isinstance(each, ReadDocument)]
    assert said == [each.content.decode() for each in wanted]


async def test_one_that_is_given_up_leaves_no_answer_to_the_next(reader: DocumentReader) -> None:
    given_up = asyncio.create_task(reader.read(ContentToRead("a.txt", b"Given up.")))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up

    read = await reader.read(ContentToRead("b.txt", b"Wanted."))
    assert isinstance(read, ReadDocument)
    assert read.chunks[0].body == "Wanted."


def _child(reader: DocumentReader) -> int:
    """The one process that reads for it."""
    [child] = reader._children
    assert child._process is not None
    return child._process.pid
