"""Forms as bytes, good and bad: the status of each bad one, and the field that is named."""

from __future__ import annotations

from typing import NamedTuple

TYPE = "multipart/form-data; boundary=b"
PURPOSE = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nvision\r\n'
END = b"--b--\r\n"


def field(name: str, value: bytes) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + value + b"\r\n"


def file(
    body: bytes = b"content", *, filename: bytes | None = b"a.png", more: bytes = b""
) -> bytes:
    named = b"" if filename is None else b'; filename="%b"' % filename
    head = b'--b\r\nContent-Disposition: form-data; name="file"%b\r\n%b\r\n' % (named, more)
    return head + body + b"\r\n"


def expiry(anchor: bytes | None, seconds: bytes | None) -> bytes:
    parts = {"expires_after[anchor]": anchor, "expires_after[seconds]": seconds}
    return b"".join(field(name, value) for name, value in parts.items() if value is not None)


class BadForm(NamedTuple):
    body: bytes
    param: str | None
    content_type: str = TYPE
    status: int = 400
    code: str = "invalid_value"


_ANCHOR, _SECONDS = "expires_after[anchor]", "expires_after[seconds]"
_AT = b"created_at"

BAD_FORMS = {
    "JSON": BadForm(b"{}", "Content-Type", "application/json", 415, "unsupported_media_type"),
    "another form": BadForm(
        b"purpose=vision",
        "Content-Type",
        "application/x-www-form-urlencoded",
        415,
        "unsupported_media_type",
    ),
    "no boundary": BadForm(PURPOSE + file() + END, "Content-Type", "multipart/form-data"),
    "empty boundary": BadForm(PURPOSE + END, "Content-Type", 'multipart/form-data; boundary=""'),
    "long boundary": BadForm(PURPOSE, "Content-Type", f"multipart/form-data; boundary={'b' * 71}"),
    "nothing": BadForm(b"", None),
    "no form": BadForm(b"content", None),
    "another boundary": BadForm((PURPOSE + file() + END).replace(b"--b", b"--c"), None),
    "no parts": BadForm(END, "purpose"),
    "no purpose": BadForm(file() + END, "purpose"),
    "a purpose of ours": BadForm(field("purpose", b"batch_output") + file() + END, "purpose"),
    "no file": BadForm(PURPOSE + END, "file"),
    "unknown purpose": BadForm(field("purpose", b"fun") + file() + END, "purpose"),
    "unknown purpose behind": BadForm(file() + field("purpose", b"fun") + END, "purpose"),
    "empty purpose": BadForm(field("purpose", b"") + file() + END, "purpose"),
    "purpose is no text": BadForm(field("purpose", b"\xff") + file() + END, "purpose"),
    "purpose without end": BadForm(field("purpose", b"v" * 257) + file() + END, "purpose"),
    "two purposes": BadForm(PURPOSE + file() + PURPOSE + END, "purpose"),
    "two files": BadForm(PURPOSE + file() + file() + END, "file"),
    "unknown field": BadForm(
        field("model", b"x") + PURPOSE + file() + END, "model", code="unknown_parameter"
    ),
    "no filename": BadForm(PURPOSE + file(filename=None) + END, "file"),
    "empty filename": BadForm(PURPOSE + file(filename=b"") + END, "file"),
    "filename is no text": BadForm(PURPOSE + file(filename=b"\xff\xfe") + END, "file"),
    "filename cannot be printed": BadForm(PURPOSE + file(filename=b"a\0b\x1b[2J") + END, "file"),
    "long filename": BadForm(PURPOSE + file(filename=b"n" * 256) + END, "file"),
    "endless filename": BadForm(PURPOSE + file(filename=b"n" * 10_000) + END, "purpose"),
    "empty file": BadForm(PURPOSE + file(b"") + END, "file"),
    "base64": BadForm(
        PURPOSE + file(b"YQ==", more=b"Content-Transfer-Encoding: base64\r\n") + END, "file"
    ),
    "cut in the file": BadForm(PURPOSE + file(b"c" * 9_000)[:-2_000], "file"),
    "cut behind the file": BadForm(PURPOSE + file() + b"--b", "file"),
    "cut in a head": BadForm(
        PURPOSE + b'--b\r\nContent-Disposition: form-data; name="fi', "purpose"
    ),
    "no disposition": BadForm(b"--b\r\nX: y\r\n\r\nvision\r\n" + file() + END, None),
    "no name": BadForm(
        b"--b\r\nContent-Disposition: form-data\r\n\r\nvision\r\n" + file() + END, None
    ),
    "no header": BadForm(b"--b\r\nno header\r\n\r\nvision\r\n" + file() + END, None),
    "many headers": BadForm(PURPOSE + file(more=b"X: y\r\n" * 100) + END, "purpose"),
    "another anchor": BadForm(PURPOSE + expiry(b"now", b"3600") + file() + END, _ANCHOR),
    "no anchor": BadForm(PURPOSE + expiry(None, b"3600") + file() + END, _ANCHOR),
    "no seconds": BadForm(PURPOSE + expiry(_AT, None) + file() + END, _SECONDS),
    "too few seconds": BadForm(PURPOSE + expiry(_AT, b"3599") + file() + END, _SECONDS),
    "too many seconds": BadForm(PURPOSE + expiry(_AT, b"2592001") + file() + END, _SECONDS),
    "seconds as a power": BadForm(PURPOSE + expiry(_AT, b"1e5") + file() + END, _SECONDS),
    "seconds below zero": BadForm(PURPOSE + expiry(_AT, b"-3600") + file() + END, _SECONDS),
    "other digits": BadForm(PURPOSE + expiry(_AT, "３６００".encode()) + file() + END, _SECONDS),
    "endless seconds": BadForm(PURPOSE + expiry(_AT, b"9" * 200) + file() + END, _SECONDS),
}
