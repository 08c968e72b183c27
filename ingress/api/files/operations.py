"""Files' operations, in one table."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.files.file_object import CreateFile, DeletedFile, FileList, FileObject
from ingress.api.files.files import Files
from ingress.api.reference.operation import Operation, Parameter, Tag

_ALL: Final = "/v1/files"
_ONE: Final = "/v1/files/{file_id}"
_ERRORS: Final = (401, 403, 404, 503)
_PAGE: Final = (
    Parameter("purpose", "query", "string", "Only files of this purpose."),
    Parameter("limit", "query", "integer", "1 to 10,000, which is the default."),
    Parameter(
        "order", "query", "string", "By `created_at`, `desc` unless given.", pattern="^(asc|desc)$"
    ),
    Parameter(
        "after",
        "query",
        "string",
        "The id of the last file that you have.",
        pattern="^file-[0-9a-f]{32}$",
    ),
)


def file_operations(files: Files) -> list[Operation]:
    """Files."""
    row = partial(Operation, tag=Tag.FILES, errors=_ERRORS)
    content = partial(row, answer_type="application/octet-stream")
    listing = partial(row, parameters=_PAGE, errors=(400, 401, 403, 503))
    return [
        row(
            "POST",
            _ALL,
            files.create,
            "Upload a file",
            description="A form; its fields may come in any order. Equal content of a tenant is "
            "kept once. Files with purpose `batch` expire after 30 days unless `expires_after` "
            "says otherwise, all others stay until they are deleted.",
            request=CreateFile,
            request_type="multipart/form-data",
            answer=FileObject,
            errors=(400, 401, 408, 409, 413, 415, 503),
        ),
        listing("GET", _ALL, files.list, "List files", answer=FileList),
        row("GET", _ONE, files.retrieve, "Read what is known of a file", answer=FileObject),
        content("GET", f"{_ONE}/content", files.content, "Read a file's content"),
        row("DELETE", _ONE, files.delete, "Delete a file", answer=DeletedFile),
    ]
