"""Files that a message names by their ids: their content in place of the name, for one turn."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from mimetypes import guess_type
from typing import Final

import msgspec

from shared.errors import InvalidRequest
from shared.files.content_store import ContentStore
from shared.files.file_catalogue import FileCatalogue
from shared.files.message_contents import MessageContents
from shared.files.stored_file import StoredFile
from shared.messages.item import Item, MessageItem
from shared.messages.part import Attachment, FilePart, ImagePart
from shared.messages.stored_body import parts_of, references_in, with_attachments
from workers.turn import Turn

MOST_BYTES: Final = 16 * 1_048_576
"""Of all files of a turn together: as much as a body may bring by itself."""
_UNKNOWN: Final = "application/octet-stream"
_BEGINNINGS: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
    b"%PDF-": "application/pdf",
}
"""What a content is by its first bytes, whatever its file is called."""


class AttachedFiles:
    """Reads what a tenant has uploaded. Nothing of another tenant's is there."""

    def __init__(
        self, catalogue: FileCatalogue, store: ContentStore, contents: MessageContents
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._contents = contents

    async def fetch(self, turn: Turn) -> None:
        """Put each named file into `turn.files`, read once however often it is named, and what the
        ledger keeps apart from the messages under its digest.

        Raises InvalidRequest naming the place of a file that is not there, of one that is no image
        where an image must be, and of the one by which they are too large together; Unavailable
        where the store does not answer.
        """
        contents, taken = await self._apart(turn), 0
        for item in turn.items:
            for nth, part in enumerate(parts_of(item)):
                if not isinstance(part, ImagePart | FilePart):
                    continue
                if part.content is not None and part.content.digest not in contents:
                    raise _missing(_place(turn, item, nth))
                if part.file_id is None:
                    continue
                place = _place(turn, item, nth)
                if part.file_id not in turn.files:
                    stored = await self._find(turn, part.file_id, place)
                    taken += stored.bytes
                    if taken > MOST_BYTES:
                        raise _refused(place, f"is larger than {MOST_BYTES} bytes with all others")
                    turn.files[part.file_id] = await self._read(stored, place)
                if isinstance(part, ImagePart):
                    _check_image(turn.files[part.file_id], place)

    async def _apart(self, turn: Turn) -> dict[str, str]:
        wanted = {each.digest for each in references_in(turn.items)}
        if not wanted:
            return {}
        contents = await self._contents.read(wanted, tenant_id=turn.record.tenant_id)
        turn.files.update((digest, FilePart(file_data=held)) for digest, held in contents.items())
        return contents

    async def _find(self, turn: Turn, file_id: str, place: str) -> StoredFile:
        stored = await self._catalogue.find(file_id, tenant_id=turn.record.tenant_id)
        if stored is None:
            raise _missing(place)
        return stored

    async def _read(self, stored: StoredFile, place: str) -> FilePart:
        """Chunk by chunk: of the bytes themselves no more than one is ever held."""
        pieces, carried, read, kind = list[str](), b"", 0, ""
        while read < stored.bytes:
            chunk = await self._store.read(stored.content_id, len(pieces))
            if not chunk:
                raise _missing(place)
            read += len(chunk)
            kind = kind or _kind(chunk, stored.filename)
            chunk = carried + chunk
            whole = len(chunk) if read >= stored.bytes else len(chunk) // 3 * 3
            carried = chunk[whole:]
            pieces.append(b2a_base64(chunk[:whole], newline=False).decode())
        label = f"data:{kind or _kind(b'', stored.filename)};base64,"
        return FilePart(file_data="".join([label, *pieces]), filename=stored.filename)


def with_files(items: Sequence[Item], files: Mapping[str, FilePart]) -> Iterator[Item]:
    """The items with the contents of files in the place of their ids."""
    for item in items:
        yield with_attachments(item, partial(_with_content, files))


def _with_content(files: Mapping[str, FilePart], part: Attachment) -> Attachment:
    if part.content is not None:
        return part.holding(files[part.content.digest].file_data)
    if part.file_id is None:
        return part
    file = files[part.file_id]
    if isinstance(part, ImagePart):
        return msgspec.structs.replace(part, image_url=file.file_data, file_id=None)
    name = part.filename or file.filename
    return msgspec.structs.replace(part, file_data=file.file_data, file_id=None, filename=name)


def _place(turn: Turn, item: Item, nth: int) -> str:
    """As the caller knows it, or as what it is where the message goes on from others."""
    for index, own in enumerate(turn.body.input):
        if own == item:
            field = "content" if isinstance(item, MessageItem) else "output"
            return f"input[{index}].{field}[{nth}]"
    return "an earlier message of the conversation"


def _kind(beginning: bytes, filename: str) -> str:
    for mark, kind in _BEGINNINGS.items():
        if beginning.startswith(mark):
            return kind
    return guess_type(filename)[0] or _UNKNOWN


def _check_image(file: FilePart, place: str) -> None:
    if not (file.file_data or "").startswith("data:image/"):
        raise _refused(place, "names a file that is no PNG, JPEG, GIF or WebP")


def _missing(place: str) -> InvalidRequest:
    return _refused(place, "names a file that is not there, or not any more")


def _refused(place: str, fault: str) -> InvalidRequest:
    return InvalidRequest(f"'{place}' {fault}. Remove it, or upload another.", param=place)
