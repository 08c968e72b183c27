"""Whether what is given as an image or a file can be one, looked at where its format says it.

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
_FILE: Final = re.compile(r"data:[^,;]{0,128}(?:;[^,;]{1,64}){0,3};base64,", re.IGNORECASE)
_NO_BASE64: Final = "is not in base64"
_NO_IMAGE: Final = "is no PNG, JPEG, GIF or WebP"


def image_fault(part: ImagePart) -> str | None:
    """What is wrong with it, to stand behind its place; None where nothing is known to be."""
    url = part.image_url
    if (url is None) is (part.file_id is None):
        return "must have one of image_url and file_id"
    if url is None or is_web_address(url):
        return None
    label = _DATA.match(url[:64])
    if label is None:
        return "is neither an http(s) URL nor a data URL of an image in base64"
    return _Base64(url, label.end()).fault()


def is_web_address(url: str) -> bool:
    """Whether it is an http(s) URL with a host."""
    return _WEB.match(url[:64]) is not None


def file_fault(content: str) -> str | None:
    """The same of a file's content: base64 alone, or behind the label of a data URL."""
    label = _FILE.match(content[:512])
    if label is None and content[:5].lower() == "data:":
        return "is a data URL that is not in base64"
    start = label.end() if label else 0
    if start == len(content):
        return "is an empty file"
    return _Base64(content, start).fault_of_base64(cut_short="is a file that was cut short")


class _Base64:
    """Base64 behind the label of a data URL, of which any piece is read without the rest."""

    def __init__(self, url: str, start: int) -> None:
        self._url = url
        self._start = start
        characters = len(url) - start
        self._is_whole = characters % 4 == 0
        self._bytes = characters // 4 * 3 - url[-2:].count("=")

    def fault(self) -> str | None:
        try:
            return self.fault_of_base64(cut_short=_CUT_SHORT) or self._fault_of_format()
        except (Error, ValueError):
            return _NO_BASE64

    def fault_of_base64(self, *, cut_short: str) -> str | None:
        """Looked at where it begins and where it ends."""
        if not self._is_whole:
            return cut_short
        try:
            self._read(0, _HEAD_BYTES)
            self._read(max(0, self._bytes - _HEAD_BYTES), _HEAD_BYTES)
        except (Error, ValueError):
            return _NO_BASE64
        return None

    def _fault_of_format(self) -> str | None:
        head = self._read(0, _HEAD_BYTES)
        if not head.startswith(_BEGINNINGS):
            return _NO_IMAGE
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
