"""What nobody should give to an index, in one job with what is good."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Sequence

import numpy
import pytest

from shared.embeddings.encoder import EncodedMany, EncoderPrompt
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.jobs.skipped_files import SkippedFiles
from shared.index.states import JobState
from tests.integration.indexer.pipeline.indexing_stage import CountingEncoder, IndexingStage

pytestmark = pytest.mark.asyncio(loop_scope="session")
LARGE_BYTES = 200_000_000


async def test_each_is_listed_with_its_reason_and_the_job_ends(stage: IndexingStage) -> None:
    write_all(stage)
    job = await stage.scan()
    await stage.until_indexed()

    assert (await stage.job(job)).state is JobState.COMPLETED
    documents = await stage.documents()
    told = {path: each.error_code or each.state.value for path, each in documents.items()}
    left_out = await SkippedFiles(stage.ground.database).list(stage.tenant, job.id, limit=100)
    told |= {each.path: each.reason for each in left_out}
    assert told == {
        "good.md": "completed",
        "latin.py": "completed",
        "half.md": "completed",
        "archive.gz": "binary",
        "explodes.pdf": "unreadable",
        "stops.pdf": "unreadable",
        "large.txt": "too_large",
        "loop": "link",
        "above": "outside",
        "pipe.md": "special",
    }
    assert "text" in (documents["explodes.pdf"].reason or "")
    assert {path for path, *_ in await stage.found("walnut")} == {"good.md", "half.md"}
    await stage.adds_up()


async def test_a_hundred_jobs_of_one_collection_all_end(stage: IndexingStage) -> None:
    jobs = IndexJobs(stage.ground.database, stage.ground.clock)
    made = []
    for number in range(100):
        stage.write(f"{number}/a.md", f"Number {number}.\n")
        source = f"{stage.source}/{number}"
        made.append(await jobs.create(stage.tenant, stage.collection.id, source))
        assert await jobs.create(stage.tenant, stage.collection.id, source) == made[-1]
    while await stage.machinery.scanning.work(lambda _: None):
        pass
    await stage.index()

    assert {(await stage.job(each)).state for each in made} == {JobState.COMPLETED}
    assert len(await stage.points()) == 100
    await stage.adds_up()


@pytest.mark.parametrize("dimensions", [7, 9])
async def test_vectors_of_a_wrong_size_are_kept_nowhere(
    stage: IndexingStage, dimensions: int
) -> None:
    broken = BrokenEncoder(lambda row: numpy.resize(row, dimensions))
    stage.write("a.md", "Patience.\n")
    await stage.offer()
    other = stage.beside(encoders=stage.ground.encoders._replace(text=broken, code=broken))
    await other.machinery.pipeline.slice()
    document = (await stage.documents())["a.md"]
    assert document.state.value == "pending"
    assert f"(1, {dimensions}) for 1 texts of 8 numbers" in (document.reason or "")


async def test_a_vector_that_is_none_is_asked_for_again(stage: IndexingStage) -> None:
    broken = BrokenEncoder(lambda row: row * numpy.float32("nan"))
    stage.write("a.md", "Patience.\n")
    await stage.offer()
    other = stage.beside(encoders=stage.ground.encoders._replace(text=broken, code=broken))
    await other.machinery.pipeline.slice()
    assert (await stage.documents())["a.md"].error_code == "store_refused"

    os.utime(stage.folder / "a.md", (5, 5))
    await stage.offer("job_2")
    await stage.until_indexed()
    assert (await stage.documents())["a.md"].state.value == "completed"
    await stage.adds_up()


class BrokenEncoder(CountingEncoder):
    """Does something to each vector."""

    def __init__(self, bend: object) -> None:
        super().__init__()
        self._bend = bend

    async def encode_many(
        self, texts: Sequence[str], *, prompt: EncoderPrompt = EncoderPrompt.PASSAGE
    ) -> EncodedMany:
        encoded = await super().encode_many(texts, prompt=prompt)
        rows = numpy.asarray([self._bend(each) for each in encoded.vectors])  # type: ignore[operator]
        return EncodedMany(rows, encoded.truncated, encoded.tokens)


def write_all(stage: IndexingStage) -> None:
    folder = stage.folder
    stage.write("good.md", "A walnut.\n")
    (folder / "latin.py").write_bytes(b"def caf\xe9():\n    return 1\n")
    (folder / "half.md").write_bytes(b"A walnut \xc3( and \xed\xa0\x80.\n")
    (folder / "archive.gz").write_bytes(gzip.compress(b"a" * 1_000_000))
    (folder / "explodes.pdf").write_bytes(exploding_pdf())
    (folder / "stops.pdf").write_bytes(exploding_pdf()[:300])
    with (folder / "large.txt").open("wb") as large:
        large.truncate(LARGE_BYTES)
    (folder / "loop").symlink_to(".")
    (folder / "above").symlink_to("..")
    os.mkfifo(folder / "pipe.md")


def exploding_pdf() -> bytes:
    """A page whose content of 200 MB is 200 KB long."""
    packer = zlib.compressobj(9)
    stream = b"".join(packer.compress(b" " * 1_000_000) for _ in range(LARGE_BYTES // 1_000_000))
    stream += packer.flush()
    head = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(stream)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        head + stream + b"\nendstream",
    ]
    written, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n" % number + each + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(written)
    return written + b"xref\n0 5\n0000000000 65535 f \n" + table + end
