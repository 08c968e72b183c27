"""The statements of files, and how to run them on a full ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

from shared.clock import Clock
from shared.files.content_ledger import ContentLedger, LargeMessage
from shared.files.database_content import DatabaseContent
from shared.files.drafts import ContentDraft, ContentDrafts
from shared.files.file_catalogue import FileCatalogue
from shared.files.file_sweeps import FileSweeps
from shared.files.message_contents import MessageContents
from shared.files.stored_file import FileLabel, FilePurpose
from shared.identifiers import new_response_id
from shared.index.documents.of_files import FileDocuments
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.settings.files import FileSettings
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics


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
        documents = FileDocuments(self.database, self.clock)
        return FileSweeps(self.database, self.contents, self.clock, take_out=documents.remove)

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


async def _accept(shelf: FullShelf) -> object:
    ledger = MessageLedger(shelf.database, LedgerSettings(), shelf.clock, Metrics())
    accepts = ContentLedger(ledger, shelf.database, shelf.contents, shelf.clock)
    now = shelf.clock.now()
    record = MessageRecord(
        id=new_response_id(),
        tenant_id="ten_1",
        lane=Lane.STANDARD,
        body="{}",
        accepted_at=now,
        deadline=now + timedelta(hours=1),
    )
    contents = {f"digest{n}": (b"x",) for n in range(1, 33)} | {"new content": (b"x",)}
    return await accepts.flush([LargeMessage(record, contents)])


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
    "ContentLedger.flush": _accept,
    "DatabaseContent.write": lambda shelf: shelf.contents.write("cont_n1", 9_999, b"x"),
    "DatabaseContent.read": lambda shelf: shelf.contents.read("cont_n1", 7),
    "DatabaseContent.delete": lambda shelf: shelf.contents.delete("cont_r1", limit=32),
    "FileCatalogue.find": lambda shelf: shelf.catalogue.find("file-7", tenant_id="ten_1"),
    "FileCatalogue.to_index": lambda shelf: shelf.catalogue.to_index(
        ["file-7", "file-8"], tenant_id="ten_1"
    ),
    "FileCatalogue.list": _list,
    "FileCatalogue.delete": lambda shelf: shelf.catalogue.delete("file-8", tenant_id="ten_1"),
    "FileSweeps.expire": lambda shelf: shelf.sweeps.expire(),
    "FileSweeps.remove": lambda shelf: shelf.sweeps.remove(),
    "FileSweeps.release": lambda shelf: shelf.sweeps.release(),
    "MessageContents.read": lambda shelf: MessageContents(shelf.database, shelf.contents).read(
        [f"digest{n}" for n in range(1, 33)], tenant_id="ten_1"
    ),
}

PARTS_OF_FILES: Final = {
    "ContentDrafts.name": "ContentDrafts.finish",
    "MessageContents.known": "MessageContents.read",
    "MessageContents.whole": "MessageContents.read",
    "TenantStorage.used": "ContentDrafts.begin",
    "TenantStorage.lock": "ContentDrafts.finish",
    "TenantStorage.add": "ContentDrafts.finish",
}
"""Methods that are a part of another's transaction."""
