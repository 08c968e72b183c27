"""Whether what is given as an image can be one, looked at where its format says it and no further.

An image may be larger than all texts of a conversation: it is neither copied nor decoded whole.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from typing import Final

from shared.messages.part import ImagePart

_DATA: Final = re.compile(r"data:image/[a-z0-9.+-]{1,32};base64,", re.IGNORECASE)
_WEB: Final = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_BEGINNINGS: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")
_PNG: Final = _BEGINNINGS[0]
_HEAD_BYTES: Final = 12
_CUT_SHORT: Final = "is an image that was cut short"
_NO_IMAGE: Final = "is no PNG, JPEG, GIF or WebP"


def image_fault(part: ImagePart) -> str | None:
    """What is wrong with it, to stand behind its place; None where nothing is known to be."""
    url = part.image_url
    if (url is None) is (part.file_id is None):
        return "must have one of image_url and file_id"
    if url is None or _WEB.match(url):
        return None
    label = _DATA.match(url[:64])
    if label is None:
        return "is neither an http(s) URL nor a data URL of an image in base64"
    return _Pixels(url, label.end()).fault()


class _Pixels:
    """Base64 behind the label of a data URL, of which any piece is read without the rest."""

    def __init__(self, url: str, start: int) -> None:
        self._url = url
        self._start = start
        characters = len(url) - start
        self._is_whole = characters % 4 == 0
        self._bytes = characters // 4 * 3 - url[-2:].count("=")

    def fault(self) -> str | None:
        if not self._is_whole:
            return _CUT_SHORT
        try:
            head = self._read(0, _HEAD_BYTES)
            self._read(max(0, self._bytes - _HEAD_BYTES), _HEAD_BYTES)
            if not head.startswith(_BEGINNINGS):
                return _NO_IMAGE
            return self._fault_of_format(head)
        except (Error, ValueError):
            return "is not in base64"

    def _fault_of_format(self, head: bytes) -> str | None:
        if head.startswith(b"RIFF"):
            if head[8:12] != b"WEBP":
                return _NO_IMAGE
            return _CUT_SHORT if self._bytes < int.from_bytes(head[4:8], "little") + 8 else None
        if head.startswith(_PNG) and not self._png_ends():
            return _CUT_SHORT
        return None

    def _png_ends(self) -> bool:
        """Chunk by chunk to the last; each says how long it is."""
        at = len(_PNG)
        while at + 12 <= self._bytes:
            chunk = self._read(at, 8)
            at += 12 + int.from_bytes(chunk[:4], "big")
            if chunk[4:] == b"IEND":
                return at <= self._bytes
        return False

    def _read(self, at: int, length: int) -> bytes:
        first, behind = at // 3, -(-(at + length) // 3)
        begin, end = self._start + 4 * first, self._start + 4 * behind
        return a2b_base64(self._url[begin:end], strict_mode=True)[at % 3 :][:length]
