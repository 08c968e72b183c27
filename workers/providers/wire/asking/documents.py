"""Images and files as blocks of Anthropic's: by their address, or with what a data URL holds."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Final

from shared.messages.part import FilePart, ImagePart
from workers.providers.wire.asking.answered_calls import UncarriedError
from workers.providers.wire.asking.thoughts import Block

_LABEL: Final = re.compile(
    r"data:([a-z0-9.+-]+/[a-z0-9.+-]+)?(?:;[a-z0-9=_.-]+)*?;base64,", re.IGNORECASE
)
_LONGEST_LABEL: Final = 256
_PDF: Final = "application/pdf"
_IMAGES: Final = {
    "image/jpeg": "image/jpeg",
    "image/jpg": "image/jpeg",
    "image/png": "image/png",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
}
_TEXTS: Final = frozenset({"application/json", "application/xml", "application/yaml"})
_PLAIN: Final = "text/plain"
_UNTOLD: Final = frozenset({"", "application/octet-stream"})
_BY_BEGINNING: Final = {"JVBERi": _PDF, "iVBORw": "image/png", "/9j/": "image/jpeg"}
"""What content in base64 begins with, where no label says what it is."""
_BY_ENDING: Final = {
    "pdf": _PDF,
    **dict.fromkeys(("txt", "md", "csv", "json", "xml", "html", "yaml", "yml", "log"), _PLAIN),
}


def image(part: ImagePart) -> Block:
    """The block; raises UncarriedError for what Anthropic does not take."""
    url = part.image_url
    if url is None:
        raise UncarriedError(f"it cannot read the image '{part.file_id}'")
    if url[:5].lower() != "data:":
        return {"type": "image", "source": {"type": "url", "url": url}}
    kind, start = _labelled(url)
    return _image(kind, url[start:])


def document(part: FilePart) -> Block:
    """The same of a file. An id is one of ours: a provider may know another file by it."""
    named = {} if part.filename is None else {"title": part.filename}
    if part.file_url is not None:
        return {"type": "document", "source": {"type": "url", "url": part.file_url}, **named}
    content = part.file_data
    if content is None:
        raise UncarriedError("it takes files by their content or address alone")
    kind, start = _labelled(content)
    if kind in _UNTOLD:
        kind = _guessed(content[start : start + 8], part.filename or "")
    if kind in _IMAGES:
        return _image(kind, content[start:])
    if kind == _PDF:
        source: Block = {"type": "base64", "media_type": _PDF, "data": content[start:]}
    elif kind.startswith("text/") or kind in _TEXTS:
        source = {"type": "text", "media_type": _PLAIN, "data": _text(content[start:])}
    else:
        raise UncarriedError(f"it takes no files of the type '{kind[:64] or 'unknown'}'")
    return {"type": "document", "source": source, **named}


def _image(kind: str, data: str) -> Block:
    media_type = _IMAGES.get(kind)
    if media_type is None:
        raise UncarriedError(f"it takes no images of the type '{kind[:64]}'")
    source = {"type": "base64", "media_type": media_type, "data": data}
    return {"type": "image", "source": source}


def _labelled(content: str) -> tuple[str, int]:
    """What the label of a data URL says it is, and where the content begins."""
    label = _LABEL.match(content[:_LONGEST_LABEL])
    return ((label[1] or "").lower(), label.end()) if label else ("", 0)


def _guessed(beginning: str, name: str) -> str:
    for mark, kind in _BY_BEGINNING.items():
        if beginning.startswith(mark):
            return kind
    return _BY_ENDING.get(name.rpartition(".")[2].lower(), "")


def _text(data: str) -> str:
    try:
        return b64decode(data, validate=True).decode()
    except ValueError as error:
        raise UncarriedError("it takes no text file that is not UTF-8 in base64") from error
