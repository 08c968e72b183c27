"""Messages with images on one database, and what there is of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from shared.accepting.arrival import keep
from shared.clock import ManualClock
from shared.files.content_ledger import ContentLedger
from shared.files.drafts import UNTOUCHED
from shared.files.file_sweeps import FileSweeps
from shared.files.message_contents import MessageContents
from shared.files.tables import content, content_chunk, message_content
from shared.large_content import APART_CHARACTERS
from shared.messages.body import Body
from shared.messages.item import Item, MessageItem, Role
from shared.messages.part import FilePart, ImagePart
from shared.messages.record import MessageRecord
from shared.messages.stored_body import Contents, decode_body
from shared.persistence.engine import Database
from shared.persistence.ledger.records import Accepted, AlreadyAccepted
from shared.persistence.statements import reading

from .conftest import NewMessage

IMAGE = ImagePart("data:image/png;base64," + "iVBO" * APART_CHARACTERS * 9)
FILE = FilePart(file_data="JVBE" * APART_CHARACTERS)
LATE = UNTOUCHED.total_seconds() + 120


@dataclass
class Sent:
    """A message, and the content that it refers to."""

    record: MessageRecord
    contents: Contents


@dataclass
class Pictures:
    """Messages with images, and what there is of them."""

    ledger: ContentLedger
    contents: MessageContents
    sweeps: FileSweeps
    database: Database
    clock: ManualClock
    new_message: NewMessage

    async def message(self, *parts: ImagePart | FilePart, **more: object) -> Sent:
        kept = await keep(Body(input=[MessageItem(Role.USER, [*parts])]))
        said = {"body": kept.raw.decode(), "body_digest": kept.digest}
        return Sent(self.new_message(**(said | more)), kept.contents)

    async def accept(self, sent: Sent) -> Accepted | AlreadyAccepted:
        return await self.ledger.accept(sent.record, sent.contents)

    async def post(self, *parts: ImagePart | FilePart, **more: object) -> MessageRecord:
        sent = await self.message(*parts, **more)
        assert await self.accept(sent) == Accepted(sent.record)
        return sent.record

    async def said(self, record: MessageRecord) -> list[Item]:
        items = decode_body(record.body.encode()).input
        return await self.contents.whole(items, tenant_id=record.tenant_id)

    async def rows(self) -> tuple[int, int, int]:
        """Contents, their chunks, and references."""
        async with reading(self.database.relaxed) as connection:
            counts = [
                await connection.scalar(select(func.count()).select_from(table)) or 0
                for table in (content, content_chunk, message_content)
            ]
        return counts[0], counts[1], counts[2]

    async def sweep(self) -> None:
        """All that a janitor does, and again when nobody can be reading any more."""
        for _ in range(2):
            await self.sweeps.release()
            while await self.sweeps.remove():
                pass
            self.clock.advance(LATE)
