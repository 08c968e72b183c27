"""The statements of files, and how to run them on a full ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from shared.clock import Clock
from shared.files.database_content import DatabaseContent
from shared.files.drafts import ContentDraft, ContentDrafts
from shared.files.file_catalogue import FileCatalogue
from shared.files.file_sweeps import FileSweeps
from shared.files.stored_file import FileLabel, FilePurpose
from shared.persistence.engine import Database
from shared.settings.files import FileSettings


@dataclass(frozen=True)
class FullShelf:
    """What the statements of files are run with."""

    database: Database
    clock: Clock

    @cached_property
    def drafts(self) -> ContentDrafts:
        return ContentDrafts(self.database, FileSettings(), self.clock)

    @cached_property
    def catalogue(self) -> FileCatalogue:
        return FileCatalogue(self.database, self.clock)

    @cached_property
    def sweeps(self) -> FileSweeps:
        return FileSweeps(self.database, self.contents, self.clock)

    @cached_property
    def contents(self) -> DatabaseContent:
        return DatabaseContent(self.database)


def _draft(number: int) -> ContentDraft:
    return ContentDraft(f"cont_d{number}", "ten_1", room_bytes=1)


async def _finish(shelf: FullShelf) -> object:
    label = FileLabel("a", FilePurpose.BATCH)
    draft = _draft(7)
    new = await shelf.drafts.finish(draft, label, digest="new", size=1)
    known = await shelf.drafts.finish(draft, label, digest="digest7", size=1)
    assert (new.content_id, known.content_id) == ("cont_d7", "cont_n7")
    return None


async def _list(shelf: FullShelf) -> object:
    (first,) = await shelf.catalogue.list("ten_1", limit=1)
    for purpose in (None, FilePurpose.BATCH, FilePurpose.VISION):
        await shelf.catalogue.list("ten_1", purpose=purpose, after=first.id, limit=500)
    return None


FileProbe = Callable[[FullShelf], Awaitable[object]]

FILE_PROBES: Final[dict[str, FileProbe]] = {
    "ContentDrafts.begin": lambda shelf: shelf.drafts.begin("ten_1"),
    "ContentDrafts.keep": lambda shelf: shelf.drafts.keep(_draft(8)),
    "ContentDrafts.abandon": lambda shelf: shelf.drafts.abandon(
        ContentDraft("cont_d9", "ten_1", 1)
    ),
    "ContentDrafts.finish": _finish,
    "DatabaseContent.write": lambda shelf: shelf.contents.write("cont_n1", 9_999, b"x"),
    "DatabaseContent.read": lambda shelf: shelf.contents.read("cont_n1", 7),
    "DatabaseContent.delete": lambda shelf: shelf.contents.delete("cont_r1", limit=32),
    "FileCatalogue.find": lambda shelf: shelf.catalogue.find("file-7", tenant_id="ten_1"),
    "FileCatalogue.list": _list,
    "FileCatalogue.delete": lambda shelf: shelf.catalogue.delete("file-8", tenant_id="ten_1"),
    "FileSweeps.expire": lambda shelf: shelf.sweeps.expire(),
    "FileSweeps.remove": lambda shelf: shelf.sweeps.remove(),
}

PARTS_OF_FILES: Final = {
    "TenantStorage.used": "ContentDrafts.begin",
    "TenantStorage.lock": "ContentDrafts.finish",
    "TenantStorage.add": "ContentDrafts.finish",
}
"""Methods that are a part of another's transaction."""
