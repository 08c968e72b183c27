"""A form on its way to becoming a file."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from ingress.api.files.form import FormPart
from ingress.api.files.label import FILE, PURPOSE, file_label, purpose, read_filename
from ingress.api.http.errors import HttpRefusal
from ingress.patience import Patience
from shared.errors import ForebayError, InvalidRequest, LedgerUnavailable
from shared.files.stored_file import StoredFile
from shared.files.upload import Upload, Uploads

_LONGEST_FIELD_BYTES: Final = 256
"""Of every field but the file."""


class IncomingFile:
    """Takes the pieces of a form in whatever order its parts come.

    The file's bytes go on to where they are kept, each before the next is asked for. Raises what
    Upload raises, InvalidRequest that names a field, and LedgerUnavailable after `patience`.
    """

    def __init__(self, uploads: Uploads, patience: Patience, tenant_id: str) -> None:
        self._uploads = uploads
        self._patience = patience
        self._tenant_id = tenant_id
        self._fields: dict[str, bytes] = {}
        self._filename = ""
        self._upload: Upload | None = None

    async def take(self, part: FormPart, piece: bytes) -> None:
        """The next piece."""
        if part.name != FILE:
            self._extend(part.name, piece)
        elif self._upload is None:
            self._filename = read_filename(part.filename)
            if PURPOSE in self._fields:
                purpose(self._texts())  # one that is wrong is said before the file is read
            self._upload = await self._patience.wait(self._uploads.begin(self._tenant_id))
        elif piece:
            await self._patience.wait(self._upload.write(piece))

    async def finish(self) -> StoredFile:
        """The form has ended: the file, on disk."""
        upload = self._upload
        label = file_label(self._filename, self._texts())
        if upload is None:
            raise InvalidRequest(f"'{FILE}' is missing. Send the file's bytes in it.", param=FILE)
        if not upload.size:
            raise InvalidRequest(f"'{FILE}' is empty. Send its bytes.", param=FILE)
        try:
            return await self._patience.wait(upload.finish(label))
        except LedgerUnavailable as error:
            raise HttpRefusal(
                503,
                "The ledger did not answer in time; it is not known whether the file was kept. "
                "Look for it with GET /v1/files, or send it again.",
                code="commit_unknown",
                headers=((b"retry-after", b"1"),),
            ) from error

    async def abandon(self) -> None:
        """The form will not end well: what was written of it goes now if it can, else later."""
        if self._upload is not None:
            with suppress(ForebayError):
                await self._patience.wait(self._upload.abandon())

    def _extend(self, name: str, piece: bytes) -> None:
        value = self._fields.get(name, b"") + piece
        if len(value) > _LONGEST_FIELD_BYTES:
            raise InvalidRequest(
                f"'{name}' is longer than {_LONGEST_FIELD_BYTES} bytes.", param=name
            )
        self._fields[name] = value

    def _texts(self) -> dict[str, str]:
        return {name: _text(name, value) for name, value in self._fields.items()}


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"'{name}' is not UTF-8.", param=name) from None
