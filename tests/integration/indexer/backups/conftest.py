"""One folder, one reader and one ledger's tables for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from indexer.reading.document_reader import DocumentReader
from tests.integration.indexer.backups.backed_up import BackedUp, open_backed_up


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[DocumentReader]:
    reader = DocumentReader(processes=1)
    yield reader
    await reader.close()


@pytest_asyncio.fixture(loop_scope="module")
async def site(
    migrated_file: Path, tmp_path: Path, reader: DocumentReader
) -> AsyncIterator[BackedUp]:
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        async with open_backed_up(Path(folder), migrated_file, reader) as site:
            yield site


@pytest.fixture(params=["ledger", "store", "words"])
def older(request: pytest.FixtureRequest) -> str:
    """Which of the three is put back to an older day than the others."""
    part: str = request.param
    return part
