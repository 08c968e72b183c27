"""A file that a message names by its id is put into the prompt, for its tenant alone."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from msgspec.structs import replace

from shared.accepting.arrival import keep
from shared.clock import SystemClock
from shared.errors import InvalidRequest
from shared.files.content_ledger import ContentLedger
from shared.files.content_store import CHUNK_BYTES
from shared.files.database_content import DatabaseContent
from shared.files.drafts import ContentDrafts
from shared.files.file_catalogue import FileCatalogue
from shared.files.message_contents import MessageContents
from shared.files.stored_file import FileLabel, FilePurpose, StoredFile
from shared.files.upload import Uploads
from shared.identifiers import new_response_id
from shared.large_content import APART_CHARACTERS
from shared.messages.body import Body, encode_body
from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem, Role
from shared.messages.part import FilePart, ImagePart, InputTextPart, Part
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.messages.stored_body import decode_body
from shared.settings.files import FileSettings
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import TENANT, Road
from tests.queued_message import queued_message
from workers.context.attached_files import MOST_BYTES, AttachedFiles, with_files
from workers.turn import Turn

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"


class Uploaded:
    """A tenant's files, and what a worker makes of them."""

    def __init__(self, road: Road) -> None:
        self.store, self.clock = DatabaseContent(road.database), SystemClock()
        self.catalogue = FileCatalogue(road.database, self.clock)
        settings = FileSettings()
        drafts = ContentDrafts(road.database, settings, self.clock)
        self._uploads = Uploads(drafts, self.store, settings, self.clock)
        self._files = AttachedFiles(
            self.catalogue, self.store, MessageContents(road.database, self.store)
        )
        self._accepts = ContentLedger(road.ledger, road.database, self.store, self.clock)

    async def keep(self, content: bytes, name: str = "a.png") -> StoredFile:
        upload = await self._uploads.begin(TENANT)
        await upload.write(content)
        return await upload.finish(FileLabel(name, FilePurpose.USER_DATA))

    async def accept(self, *items: Item) -> list[Item]:
        """The items as the ledger has them."""
        kept = await keep(Body(input=list(items)))
        record = replace(message(), body=kept.raw.decode())
        await self._accepts.accept(record, kept.contents)
        return decode_body(record.body.encode()).input

    async def seen(self, *items: Item, tenant: str = TENANT) -> list[Item]:
        """The items as a provider gets them."""
        record = message(*items, tenant=tenant)
        turn = Turn(record, decode_body(record.body.encode()), items=list(items))
        await self._files.fetch(turn)
        return list(with_files(items, turn.files))


def message(*items: Item, tenant: str = TENANT) -> MessageRecord:
    body = encode_body(Body(input=list(items))).decode()
    return queued_message(
        id=new_response_id(), tenant_id=tenant, body=body, accepted_at=SystemClock().now()
    )


@pytest.fixture
def uploaded(road: Road) -> Uploaded:
    return Uploaded(road)


def said(*parts: Part) -> MessageItem:
    return MessageItem(Role.USER, [InputTextPart("What is this?"), *parts])


@pytest.mark.parametrize("size", [0, 1, 2, CHUNK_BYTES, 3 * CHUNK_BYTES + 1])
async def test_the_content_stands_in_the_place_of_the_id(uploaded: Uploaded, size: int) -> None:
    content = bytes(n % 251 for n in range(size))
    file = await uploaded.keep(content, "notes.txt")

    (item,) = await uploaded.seen(said(FilePart(file_id=file.id)))

    assert isinstance(item, MessageItem)
    text, part = item.content
    assert text == InputTextPart("What is this?")
    assert isinstance(part, FilePart)
    label, _, data = (part.file_data or "").partition(",")
    assert (label, part.filename, part.file_id) == ("data:text/plain;base64", "notes.txt", None)
    assert b64decode(data, validate=True) == content


async def test_images_are_told_by_their_bytes_and_outputs_hold_files_too(
    uploaded: Uploaded,
) -> None:
    file = await uploaded.keep(PNG, "a.bin")
    url = f"data:image/png;base64,{b64encode(PNG).decode()}"
    call = FunctionCall("a", "look", "{}")

    seen = await uploaded.seen(
        said(ImagePart(file_id=file.id, detail="low")),
        call,
        FunctionCallOutput("a", [ImagePart(file_id=file.id), FilePart(file_id=file.id)]),
    )

    assert seen == [
        said(ImagePart(image_url=url, detail="low")),
        call,
        FunctionCallOutput("a", [ImagePart(image_url=url), FilePart(None, None, url, "a.bin")]),
    ]


async def test_what_the_ledger_keeps_apart_is_told_as_it_came(uploaded: Uploaded) -> None:
    """A large image that a caller sent with the message, and with one before."""
    image = ImagePart("data:image/png;base64," + "iVBO" * APART_CHARACTERS, detail="low")
    file = FilePart(file_data="JVBE" * APART_CHARACTERS, filename="a.pdf")
    named = await uploaded.keep(PNG, "a.bin")
    whole = [said(image, ImagePart(file_id=named.id)), FunctionCallOutput("a", [file, image])]

    referring = await uploaded.accept(*whole)
    assert not any(item in whole for item in referring)
    seen = await uploaded.seen(*referring)

    url = f"data:image/png;base64,{b64encode(PNG).decode()}"
    assert seen == [said(image, ImagePart(image_url=url)), whole[1]]
    with pytest.raises(InvalidRequest, match=r"'input\[0\].content\[1\]' names a file that is not"):
        await uploaded.seen(*referring, tenant="ten_2")


async def test_a_file_that_is_not_there_is_named_by_its_place(uploaded: Uploaded) -> None:
    file, plain = await uploaded.keep(PNG), MessageItem(Role.USER, "Hi")
    asked = said(ImagePart(file_id=file.id))

    with pytest.raises(InvalidRequest, match=r"'input\[1\].content\[1\]' names a file that is not"):
        await uploaded.seen(plain, asked, tenant="ten_2")
    await uploaded.catalogue.delete(file.id, tenant_id=TENANT)
    with pytest.raises(InvalidRequest, match=r"'input\[0\].content\[1\]' names a file that is not"):
        await uploaded.seen(asked)


async def test_what_is_no_image_is_none(uploaded: Uploaded) -> None:
    file = await uploaded.keep(b"GIF", "a.gif.txt")

    with pytest.raises(InvalidRequest, match=r"\[1\]' names a file that is no PNG"):
        await uploaded.seen(said(ImagePart(file_id=file.id)))


async def test_files_have_a_limit_together(uploaded: Uploaded) -> None:
    half = MOST_BYTES // 2 + 1
    one, other = [await uploaded.keep(letter * half, "a.txt") for letter in (b"a", b"b")]

    await uploaded.seen(said(FilePart(file_id=one.id), FilePart(file_id=one.id)))
    with pytest.raises(InvalidRequest, match=r"'input\[0\].content\[2\]' is larger than"):
        await uploaded.seen(said(FilePart(file_id=one.id), FilePart(file_id=other.id)))


@pytest.mark.usefixtures("worker")
async def test_a_worker_puts_them_into_the_prompt(
    road: Road, uploaded: Uploaded, provider: ProviderThread
) -> None:
    file = await uploaded.keep(PNG)

    async def ended() -> MessageRecord:
        record = message(said(ImagePart(file_id=file.id)))
        await road.ledger.accept(record)
        road.wake(record)
        return await road.ended(record)

    there = await ended()
    await uploaded.catalogue.delete(file.id, tenant_id=TENANT)
    gone = await ended()

    assert (there.state, there.output_text) == (
        ResponseState.COMPLETED,
        "You said: What is this?",
    )
    assert [call.images for call in provider.calls("What is this?")] == [1]
    assert (gone.state, gone.error_code) == (ResponseState.FAILED, "invalid_prompt")
    assert "'input[0].content[1]' names a file that is not there" in (gone.error_message or "")
