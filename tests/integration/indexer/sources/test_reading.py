"""A file is read whole and from one moment, as the text it is; else it is told why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer.sources.found import FoundFile, ReadFile, SkippedFile, SkipReason
from indexer.sources.looking import look_at
from indexer.sources.reading import read_file
from tests.integration.indexer.sources.conftest import LIMIT_BYTES, write


def read(root: Path, content: bytes, path: str = "a.txt") -> ReadFile | SkippedFile:
    write(root, path, content=content)
    return read_file(root, seen(root, path), limit_bytes=LIMIT_BYTES)


def seen(root: Path, path: str = "a.txt") -> FoundFile:
    looked = look_at(root, path, limit_bytes=LIMIT_BYTES)
    assert isinstance(looked, FoundFile)
    return looked


def reason(outcome: ReadFile | SkippedFile) -> SkipReason:
    assert isinstance(outcome, SkippedFile)
    return outcome.reason


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        ("Größe".encode(), "Größe", "utf-8"),
        ("Größe".encode("utf-8-sig"), "Größe", "utf-8-sig"),
        ("Größe".encode("utf-16"), "Größe", "utf-16"),
        ("Größe".encode("utf-32"), "Größe", "utf-32"),
        ("# Copyright © 2024".encode("latin-1"), "# Copyright © 2024", "cp1252"),
        ("“Größe: 5 m²”".encode("cp1252"), "“Größe: 5 m²”", "cp1252"),
        ("# coding: koi8-r\nпривет".encode("koi8-r"), "# coding: koi8-r\nпривет", "koi8-r"),
        (
            '<?xml version="1.0" encoding="Shift_JIS"?>日本'.encode("shift_jis"),
            '<?xml version="1.0" encoding="Shift_JIS"?>日本',
            "shift_jis",
        ),
        (
            '<meta charset="windows-1251">да'.encode("cp1251"),
            '<meta charset="windows-1251">да',
            "cp1251",
        ),
        (b"# coding: rot13\n\xe9", "# coding: rot13\né", "cp1252"),
        (b"# coding: unheard-of\n\xe9", "# coding: unheard-of\né", "cp1252"),
        (b"caf\xc3\xa9 cut \xc3", "cafÃ© cut Ã", "cp1252"),
        (b"\x81 is nothing", "\ufffd is nothing", "cp1252"),
    ],
)
def test_a_text_is_read_as_what_it_says_it_is(
    tmp_path: Path, content: bytes, text: str, encoding: str
) -> None:
    outcome = read(tmp_path, content)
    assert isinstance(outcome, ReadFile)
    assert outcome.content == content
    assert outcome.decoded is not None
    assert outcome.decoded[:2] == (text, encoding)
    assert outcome.decoded.is_guessed == (encoding == "cp1252")


def test_a_pdf_is_read_and_other_bytes_are_not(tmp_path: Path) -> None:
    outcome = read(tmp_path, b"%PDF-1.7\n\0\0")
    assert isinstance(outcome, ReadFile)
    assert outcome.decoded is None
    assert reason(read(tmp_path, b"\x7fELF\0\0")) is SkipReason.BINARY


def test_a_key_in_a_text_keeps_it_out(tmp_path: Path) -> None:
    key = "sk-" + "a1" * 12
    for content in (f"one\ntwo = '{key}'\n".encode(), f"one\ntwo {key}".encode("utf-16")):
        outcome = read(tmp_path, content)
        assert reason(outcome) is SkipReason.SECRET
        assert isinstance(outcome, SkippedFile)
        assert "line 2" in outcome.why
        assert key not in outcome.why


def test_what_changed_since_the_scan_is_left_to_the_next(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    found = seen(tmp_path)
    (tmp_path / "a.txt").unlink()
    assert reason(read_file(tmp_path, found, limit_bytes=LIMIT_BYTES)) is SkipReason.CHANGING
    os.mkfifo(tmp_path / "a.txt")
    assert reason(read_file(tmp_path, found, limit_bytes=LIMIT_BYTES)) is SkipReason.CHANGING
    (tmp_path / "a.txt").unlink()
    write(tmp_path, "a.txt", content=b"a" * (LIMIT_BYTES + 1))
    assert reason(read_file(tmp_path, found, limit_bytes=LIMIT_BYTES)) is SkipReason.CHANGING
    (tmp_path / "a.txt").unlink()
    (tmp_path / "a.txt").symlink_to("/etc/hostname")
    assert reason(read_file(tmp_path, found, limit_bytes=LIMIT_BYTES)) is SkipReason.UNREADABLE
