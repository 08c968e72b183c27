"""Without git the rules of ignore files decide as git decides, on random trees and rules."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from indexer.sources.folder import FolderSource
from indexer.sources.found import FoundFile
from tests.integration.indexer.sources.conftest import LIMIT_BYTES, Git, write

NAMES = ["a", "b", "c", "ab", "a.c", ".x", "é"]
PIECES = [
    "a",
    "b",
    "c",
    "ab",
    "a.c",
    "*",
    "**",
    "?",
    "[ab]",
    "[!a]",
    "*.c",
    "a*",
    "\\a",
    "b\\ ",
    "é",
    "??",
]


def some_line(chance: random.Random) -> str:
    line = "/".join(chance.choice(PIECES) for _ in range(chance.randint(1, 3)))
    before = chance.choice(["", "", "", "/", "!", "!/", "#"])
    return before + line + chance.choice(["", "", "/", " "])


def grow(root: Path, chance: random.Random) -> None:
    """Files up to four folders deep, and ignore files in up to three of the folders."""
    for _ in range(25):
        path = root.joinpath(*(chance.choice(NAMES) for _ in range(chance.randint(1, 4))))
        if not path.exists() and all(not each.is_file() for each in path.parents):
            write(root, str(path.relative_to(root)))
    folders = [each for each in root.rglob("*") if each.is_dir()]
    for folder in [root, *chance.sample(folders, min(2, len(folders)))]:
        lines = [some_line(chance) for _ in range(chance.randint(1, 4))]
        (folder / ".gitignore").write_text("\n".join(lines))


@pytest.mark.parametrize("seed", range(30))
def test_a_folder_is_walked_as_git_would_list_it(tmp_path: Path, git: Git, seed: int) -> None:
    grow(tmp_path, random.Random(seed))
    found = {
        each.path
        for each in FolderSource(tmp_path, limit_bytes=LIMIT_BYTES).scan()
        if isinstance(each, FoundFile)
    }
    git("init", "-q")
    listed = git("ls-files", "--others", "--exclude-standard", "-z").split("\0")
    assert found == {*filter(None, listed)}


def test_a_line_that_means_nothing_costs_only_itself(tmp_path: Path) -> None:
    write(tmp_path, "a.log", "b.tmp", "c.txt")
    (tmp_path / ".gitignore").write_text("\ufeff*.log\n!\nfoo\\\n[z-a]\n*.tmp\r\n")
    found = [each.path for each in FolderSource(tmp_path, limit_bytes=LIMIT_BYTES).scan()]
    assert found == [".gitignore", "c.txt"]


def test_a_pattern_without_meaning_in_utf_8_is_heeded(tmp_path: Path) -> None:
    write(tmp_path, "caf\udce9.txt")
    write(tmp_path, "kept.txt")
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9*\n.gitignore\n")
    assert [each.path for each in FolderSource(tmp_path, limit_bytes=LIMIT_BYTES).scan()] == [
        "kept.txt"
    ]


def test_an_ignore_file_that_is_none_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "all", content=b"*\n")
    (tmp_path / ".gitignore").symlink_to("all")
    os.mkfifo(tmp_path / ".forebayignore")
    found = [*FolderSource(tmp_path, limit_bytes=LIMIT_BYTES).scan()]
    assert [each.path for each in found] == [".forebayignore", ".gitignore", "all"]


def test_a_line_longer_than_any_path_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a")
    write(tmp_path, "b")
    (tmp_path / ".gitignore").write_text("*" * 5000 + "\na\n.gitignore\n")
    assert [each.path for each in FolderSource(tmp_path, limit_bytes=LIMIT_BYTES).scan()] == ["b"]
