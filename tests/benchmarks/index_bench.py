"""An indexer in the hands of a benchmark."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from sqlalchemy import update

from indexer.assembling import IndexGround, IndexMachinery, assemble
from indexer.reading.document_reader import DocumentReader
from indexer.reading.work import FileToRead, ReadDocument
from indexer.sources.folder import FolderSource
from shared.clock import SystemClock
from shared.embeddings.encoder import DualEncoders
from shared.embeddings.opening import open_encoders
from shared.identifiers import TENANT, new_id
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.document import OfferedDocument
from shared.index.documents.offering import DocumentOffers
from shared.index.generation_name import generation_name
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.states import DocumentState
from shared.index.tables import document
from shared.persistence.engine import Database, open_database
from shared.persistence.statements import transaction
from shared.search.embedded.embedded_store import EmbeddedStore
from shared.settings import Settings
from shared.settings.indexing.embeddings import EmbeddingSettings
from shared.settings.indexing.index import IndexSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

UNCHANGED_FILES: Final = 10_000
_ROOT: Final = Path(__file__).resolve().parents[2]
_LIMIT_BYTES: Final = 1_000_000


class IndexBench:
    """An indexer without its rounds: what they do is no part of these figures."""

    def __init__(
        self, machinery: IndexMachinery, ground: IndexGround, encoders: DualEncoders
    ) -> None:
        self._machinery = machinery
        self._ground = ground
        self._encoders = encoders
        self._tenant = new_id(TENANT)

    async def take_files(self, source: Path, number: int) -> list[str]:
        """Copies that many files, and says which texts an indexer embeds of them."""
        source.mkdir()
        files = [*(_ROOT / "shared").rglob("*.py"), *(_ROOT / "docs").rglob("*.md")]
        step = max(1, len(files) // number)
        for nth, file in enumerate(sorted(files)[::step][:number]):
            (source / f"{nth}{file.suffix}").write_text(file.read_text())
        texts: dict[tuple[str, str], str] = {}
        for file in source.iterdir():
            read = await self._ground.reader.read(FileToRead(file.name, str(source), _LIMIT_BYTES))
            for each in read.chunks if isinstance(read, ReadDocument) else ():
                texts[self._encoders.text.name, each.for_text] = each.for_text
                if each.for_code is not None:
                    texts[self._encoders.code.name, each.for_code] = each.for_code
        self._texts = texts
        return [*texts.values()]

    async def encoder_alone(self, texts: Sequence[str]) -> float:
        for each in self._encoders:
            await each.warm_up()
        began = time.perf_counter()
        for encoder in {each.name: each for each in self._encoders}.values():
            mine = [text for (name, _), text in self._texts.items() if name == encoder.name]
            await encoder.encode_many(mine)
        return time.perf_counter() - began

    async def whole(self, source: Path) -> tuple[float, int]:
        """Seconds from the job to the last document, with as many slices as by default."""
        collection = await self._collection()
        began = time.perf_counter()
        await self._index(collection, source)
        seconds = time.perf_counter() - began
        self._indexed = collection
        return seconds, len(self._texts)

    async def edit(self, source: Path) -> float:
        """Chunks that an edit of the first line of a function's body makes new."""
        file, lines, place = next(
            (file, lines, nth)
            for file in sorted(source.glob("*.py"))
            if (lines := file.read_text().splitlines())
            for nth, line in enumerate(lines)
            if line.startswith("    return ")
        )
        lines[place] = lines[place] + "  # edited"
        file.write_text("\n".join(lines) + "\n")
        job_id = await self._index(self._indexed, source)
        job = await IndexJobs(self._ground.database, SystemClock()).find(self._tenant, job_id)
        return float(job.embedded)

    async def unchanged(self, source: Path) -> tuple[float, float]:
        """CPU seconds of a scan, and of the listing that is a part of it."""
        for nth in range(UNCHANGED_FILES):
            folder = source / str(nth // 100)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{nth}.md").write_text(f"# Number {nth}\n\nOf many.\n")
        collection = await self._collection()
        await self._offer_as_indexed(collection, source)
        began = time.process_time()
        listed = sum(1 for _ in FolderSource(source.resolve(), limit_bytes=_LIMIT_BYTES).scan())
        listing = time.process_time() - began
        assert listed == UNCHANGED_FILES
        job_id = await self._job(collection, source)
        began = time.process_time()
        assert await self._machinery.scanning.work(lambda _: None)
        spent = time.process_time() - began
        job = await IndexJobs(self._ground.database, SystemClock()).find(self._tenant, job_id)
        assert (job.found, job.changed) == (UNCHANGED_FILES, 0)
        return spent - listing, listing

    async def first(self, source: Path) -> float:
        """Seconds from the job to its first document."""
        began = time.perf_counter()
        job_id = await self._job(await self._collection(), source)
        scanning = asyncio.create_task(self._machinery.scanning.work(lambda _: None))
        # Until the scan has offered something.
        while not (indexed := await self._machinery.pipeline.slice()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - began
        assert indexed[0].job_id == job_id
        await scanning
        return seconds

    async def _index(self, collection: Collection, source: Path) -> str:
        job_id = await self._job(collection, source)
        assert await self._machinery.scanning.work(lambda _: None)
        hands = self._ground.settings.concurrency
        await asyncio.gather(*(self._work() for _ in range(hands)))
        return job_id

    async def _work(self) -> None:
        while await self._machinery.pipeline.slice():
            pass

    async def _job(self, collection: Collection, source: Path) -> str:
        jobs = IndexJobs(self._ground.database, SystemClock())
        job = await jobs.create(self._tenant, collection.id, f"folder:{source.resolve()}")
        return job.id

    async def _collection(self) -> Collection:
        text, code = self._encoders
        catalogue = CollectionCatalogue(self._ground.database, SystemClock())
        return await catalogue.create(
            self._tenant, name="bench", generation=generation_name(text.name, code.name)
        )

    async def _offer_as_indexed(self, collection: Collection, source: Path) -> None:
        """As after a first job, without the minutes that it takes."""
        found = FolderSource(source.resolve(), limit_bytes=_LIMIT_BYTES).scan()
        offers = DocumentOffers(self._ground.database, SystemClock())
        name = f"folder:{source.resolve()}"
        while some := [*islice(found, 1000)]:
            offered = [
                OfferedDocument(each.path, each.size_bytes, each.modified_ns)  # type: ignore[union-attr]
                for each in some
            ]
            await offers.offer(self._tenant, collection.id, name, offered, job_id="job_0")
        done = {"state": DocumentState.COMPLETED, "generation": collection.generation}
        async with transaction(self._ground.database.durable) as connection:
            indexed = update(document).where(document.c.collection_id == collection.id)
            await connection.execute(indexed.values(**done, due_at=None))


@asynccontextmanager
async def open_index_bench(ledger_url: str, folder: Path) -> AsyncIterator[IndexBench]:
    settings = Settings(ledger=LedgerSettings(url=ServerUrl(ledger_url)))
    async with AsyncExitStack() as stack:
        database: Database = open_database(settings.ledger)
        stack.push_async_callback(database.close)
        store = EmbeddedStore(folder / "index")
        stack.push_async_callback(store.close)
        reader = DocumentReader(processes=IndexSettings().concurrency)
        stack.push_async_callback(reader.close)
        encoders = await stack.enter_async_context(open_encoders(EmbeddingSettings(), processes=1))
        ground = IndexGround(
            settings=IndexSettings(),
            database=database,
            clock=SystemClock(),
            worker="bench",
            vectors=store,
            keyword=None,
            encoders=encoders,
            reader=reader,
        )
        yield IndexBench(assemble(ground), ground, encoders)
