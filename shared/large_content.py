"""Large content of a message, an image or a file as it came, apart from the body that refers to it.

It is hashed and kept as it stands in JSON, so that the digest of a body is the same whether its
content is in it or beside it. For base64 that is the text itself.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

import msgspec

APART_CHARACTERS: Final = 65_536
"""From here on the ledger keeps it beside the body, once in its tenant."""
_PIECE_CHARACTERS: Final = 1_048_576

Pieces = tuple[bytes, ...]
_text: Final = msgspec.json.Decoder(str)


class ContentReference(msgspec.Struct, frozen=True):
    """Stands in the ledger for large content: that of this digest, in its message's tenant.

    `size` counts its characters. No surface takes one from a caller.
    """

    digest: str
    size: int


def pieces_of(text: str) -> Iterator[bytes]:
    """The content as it is kept: no turn of another thread waits for more than one of them."""
    for at in range(0, len(text), _PIECE_CHARACTERS):
        yield msgspec.json.encode(text[at : at + _PIECE_CHARACTERS])[1:-1]


def text_of(pieces: Iterable[bytes]) -> str:
    """The content as it came; raises msgspec.DecodeError for what is none."""
    return _text.decode(b"".join((b'"', *pieces, b'"')))


def reference_to(text: str, pieces: Iterable[bytes]) -> ContentReference:
    """The reference to content that comes to these pieces.

    Its digest is spelled otherwise than a file's is: to either nothing of the other is known, so
    that no version of Forebay takes content away with a file that a message refers to.
    """
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return ContentReference(urlsafe_b64encode(digest.digest()).rstrip(b"=").decode(), len(text))
