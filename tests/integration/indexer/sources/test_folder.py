"""What is found in a folder, in order, and what is left out with its reason."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from indexer.sources.folder import FolderSource
from indexer.sources.found import FoundFile, SkippedFile, SkipReason
from tests.integration.indexer.sources.conftest import LIMIT_BYTES, write


def scan(root: Path) -> list[FoundFile | SkippedFile]:
    return [*FolderSource(root, limit_bytes=LIMIT_BYTES).scan()]


def reasons(root: Path) -> dict[str, SkipReason]:
    return {each.path: each.reason for each in scan(root) if isinstance(each, SkippedFile)}


def test_files_are_found_in_the_order_of_their_paths(tmp_path: Path) -> None:
    write(tmp_path, "b/two.py", "b/a/one.py", "a.md", "c.md", ".git/config")
    assert [each.path for each in scan(tmp_path)] == ["a.md", "b/a/one.py", "b/two.py", "c.md"]
    first = scan(tmp_path)[0]
    assert isinstance(first, FoundFile)
    assert first.size_bytes == len(b"text\n")
    assert first.modified_ns == (tmp_path / "a.md").stat().st_mtime_ns


def test_links_are_not_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, "real.md", "folder/inside.md")
    write(tmp_path, "elsewhere.md")
    (root / "inside").symlink_to("real.md")
    (root / "out.md").symlink_to("../elsewhere.md")
    (root / "nowhere").symlink_to("missing")
    (root / "folder" / "up").symlink_to("..")
    (root / "round").symlink_to("round")
    assert reasons(root) == {
        "inside": SkipReason.LINK,
        "out.md": SkipReason.OUTSIDE,
        "nowhere": SkipReason.LINK,
        "folder/up": SkipReason.LINK,
        "round": SkipReason.LINK,
    }
    found = [each.path for each in scan(root) if isinstance(each, FoundFile)]
    assert found == ["folder/inside.md", "real.md"]


def test_what_is_no_file_or_not_to_be_read_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        write(tmp_path, "large.txt", content=b"a" * (LIMIT_BYTES + 1))
        write(tmp_path, ".env", "server.pem", "keys/id_rsa", ".env.example")
        (tmp_path / os.fsdecode(b"caf\xe9.md")).write_bytes(b"text")
        assert reasons(tmp_path) == {
            "pipe": SkipReason.SPECIAL,
            "socket": SkipReason.SPECIAL,
            "large.txt": SkipReason.TOO_LARGE,
            ".env": SkipReason.SECRET,
            "server.pem": SkipReason.SECRET,
            "keys/id_rsa": SkipReason.SECRET,
            "caf\\xe9.md": SkipReason.UNREADABLE,
        }
    [large] = [each for each in scan(tmp_path) if each.path == "large.txt"]
    assert isinstance(large, SkippedFile)
    assert large.why == "It has 1,000,001 bytes, and 1,000,000 are read at the most."


def test_a_folder_that_is_gone_by_now_is_told(tmp_path: Path) -> None:
    write(tmp_path, "a/one.md", "b/two.md")
    scanning = FolderSource(tmp_path, limit_bytes=LIMIT_BYTES).scan()
    assert next(scanning).path == "a/one.md"
    (tmp_path / "b" / "two.md").unlink()
    (tmp_path / "b").rmdir()
    [gone] = [*scanning]
    assert isinstance(gone, SkippedFile)
    assert (gone.path, gone.reason) == ("b/", SkipReason.UNREADABLE)


def test_a_tree_of_two_hundred_folders_is_walked_to_its_end(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 200)
    write(tmp_path, f"{deep}/end.md")
    assert [each.path for each in scan(tmp_path)] == [f"{deep}/end.md"]
