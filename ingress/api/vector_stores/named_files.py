"""Files on their way into a vector store: found, fit for it, and put in together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ingress.api.index.index_door import IndexDoor
from ingress.authentication import Caller
from shared.errors import InvalidRequest, NotFound
from shared.files.file_catalogue import FileToIndex
from shared.files.stored_file import FilePurpose
from shared.index.document import NewDocument

_ID: Final = re.compile("file-[0-9a-f]{32}")
_PURPOSES: Final = (FilePurpose.ASSISTANTS, FilePurpose.USER_DATA)


class NamedFile(msgspec.Struct, frozen=True):
    """A file that a request names at some place, and what it says of it."""

    file_id: str
    place: str
    attributes: dict[str, str | float | bool] = {}
    sizes: dict[str, int] | None = None


class NamedFiles:
    """Files of the caller's tenant, as what they would be in a collection."""

    def __init__(self, index: IndexDoor) -> None:
        self._index = index

    async def documents(
        self, caller: Caller, named: Sequence[NamedFile], *, batch_id: str | None = None
    ) -> list[NewDocument]:
        """The documents that they would be.

        Raises InvalidRequest for one that is named twice or has another purpose, and NotFound, by
        its place.
        """
        if not named:
            return []
        _check_once(named)
        ids = [each.file_id for each in named if _ID.fullmatch(each.file_id)]
        finding = self._index.files.to_index(ids, tenant_id=caller.tenant.id)
        found = await self._index.patience.wait(finding)
        return [_document(each, found, batch_id) for each in named]


def _check_once(named: Sequence[NamedFile]) -> None:
    places: dict[str, str] = {}
    for each in named:
        first = places.setdefault(each.file_id, each.place)
        if first != each.place:
            raise InvalidRequest(
                f"'{each.place}' names the file that '{first}' names. Remove one of them.",
                param=each.place,
            )


def _document(
    named: NamedFile, found: Mapping[str, FileToIndex], batch_id: str | None
) -> NewDocument:
    file = found.get(named.file_id)
    if file is None:
        raise NotFound(
            f"'{named.place}' names the file '{named.file_id[:64]}', which is not here, or not any "
            "more. Upload it first.",
            param=named.place,
        )
    if file.purpose not in _PURPOSES:
        raise InvalidRequest(
            f"'{named.place}' names a file whose purpose is '{file.purpose}'. Upload it for "
            f"another: {_PURPOSES[0]} or {_PURPOSES[1]}.",
            param=named.place,
        )
    return NewDocument(
        path=file.filename,
        digest=file.digest,
        size_bytes=file.bytes,
        file_id=file.id,
        batch_id=batch_id,
        attributes=named.attributes,
        chunking=named.sizes,
    )
