"""A form (multipart/form-data) as it comes: nothing of it is held but the piece in hand."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Collection
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import Exchange
from ingress.api.http.request_headers import require_uncompressed
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartParser

_FORM: Final = b"multipart/form-data"
_LONGEST_BOUNDARY: Final = 70
_AS_IT_IS: Final = frozenset({b"7bit", b"8bit", b"binary"})


class FormPart(msgspec.Struct, frozen=True):
    """A field's name, and its filename where it has one."""

    name: str
    filename: str | None


FormPiece = tuple[FormPart, bytes]


async def read_form(
    exchange: Exchange, *, fields: Collection[str], limit_bytes: int
) -> AsyncIterator[FormPiece]:
    """Every piece of every part, in their order; a part begins with an empty one.

    Raises HttpRefusal for what is no form or larger than `limit_bytes`, InvalidRequest for a form
    that is malformed, that repeats a field or that has another than `fields`, and Disconnected.
    """
    require_uncompressed(exchange)
    parser = _FormParser(_boundary(exchange), fields)
    async for piece in exchange.read_pieces(limit_bytes=limit_bytes, setting="files.limit_bytes"):
        for found in parser.feed(piece):
            yield found
    parser.close()


def _boundary(exchange: Exchange) -> bytes:
    from python_multipart.multipart import parse_options_header

    kind, options = parse_options_header(exchange.headers.get(b"content-type"))
    if kind != _FORM:
        raise HttpRefusal(
            415,
            "The body must be a form. Send 'Content-Type: multipart/form-data; boundary=…'.",
            code="unsupported_media_type",
            param="Content-Type",
        )
    boundary: bytes = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= _LONGEST_BOUNDARY:
        raise InvalidRequest(
            f"'Content-Type' must name a boundary of 1 to {_LONGEST_BOUNDARY} characters.",
            param="Content-Type",
        )
    return boundary


class _FormParser:
    """Takes pieces of the body and gives pieces of parts.

    What is wrong with a part is raised at its head, before the next is looked at.
    """

    def __init__(self, boundary: bytes, fields: Collection[str]) -> None:
        # Loaded with the first form: a door to which nobody sends files does without it.
        from python_multipart.exceptions import MultipartParseError

        self._malformed = MultipartParseError
        self._parser = self._listened_to(boundary)
        self._fields = fields
        self._seen: set[str] = set()
        self._found: deque[FormPiece] = deque()
        self._part: FormPart | None = None
        self._name, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._is_whole = False

    def feed(self, piece: bytes) -> deque[FormPiece]:
        """What this piece of the body brings, to be taken before the next is fed."""
        self._found.clear()
        try:
            self._parser.write(piece)
        except self._malformed as error:
            raise InvalidRequest(
                f"The form is malformed{self._where()}: {str(error).rstrip('.')}.",
                param=self._param,
            ) from None
        return self._found

    def close(self) -> None:
        """The body has ended; raises InvalidRequest if the form has not."""
        if not self._is_whole:
            raise InvalidRequest(
                f"The form ends before its last boundary{self._where()}. Send it whole.",
                param=self._param,
            )

    @property
    def _param(self) -> str | None:
        return None if self._part is None else self._part.name

    def _where(self) -> str:
        return "" if self._part is None else f" in or behind '{self._part.name}'"

    def _listened_to(self, boundary: bytes) -> MultipartParser:
        from python_multipart.multipart import MultipartParser

        return MultipartParser(
            boundary,
            {
                "on_header_field": self._on_name,
                "on_header_value": self._on_value,
                "on_header_end": self._on_header,
                "on_headers_finished": self._on_head,
                "on_part_data": self._on_bytes,
                "on_end": self._on_end,
            },
        )

    def _on_name(self, piece: bytes, start: int, end: int) -> None:
        self._name += piece[start:end]

    def _on_value(self, piece: bytes, start: int, end: int) -> None:
        self._value += piece[start:end]

    def _on_header(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _on_head(self) -> None:
        self._part = _part(self._headers)
        self._headers = {}
        if self._part.name not in self._fields:
            raise InvalidRequest(
                f"Unknown field: '{self._part.name}'. Remove it.",
                param=self._part.name,
                kind="unknown_parameter",
            )
        if self._part.name in self._seen:
            raise InvalidRequest(
                f"'{self._part.name}' is there twice. Send it once.", param=self._part.name
            )
        self._seen.add(self._part.name)
        self._found.append((self._part, b""))

    def _on_bytes(self, piece: bytes, start: int, end: int) -> None:
        assert self._part is not None  # noqa: S101 - the parser says the head first
        self._found.append((self._part, piece[start:end]))

    def _on_end(self) -> None:
        self._is_whole = True


def _part(headers: dict[bytes, bytes]) -> FormPart:
    from python_multipart.multipart import parse_options_header

    _, options = parse_options_header(headers.get(b"content-disposition"))
    name = options.get(b"name", b"").decode(errors="replace")[:64]
    if not name:
        raise InvalidRequest(
            "A part of the form has no name. Give it 'Content-Disposition: form-data; name=\"…\"'."
        )
    encoding = headers.get(b"content-transfer-encoding", b"binary").strip().lower()
    if encoding not in _AS_IT_IS:
        raise InvalidRequest(
            f"'{name}' has a Content-Transfer-Encoding. Send its bytes as they are.", param=name
        )
    return FormPart(name, _filename(name, options))


def _filename(name: str, options: dict[bytes, bytes]) -> str | None:
    filename: Any = options.get(b"filename")
    try:
        return None if filename is None else filename.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"The filename of '{name}' is not UTF-8.", param=name) from None
