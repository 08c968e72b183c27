"""What `.gitignore` and `.forebayignore` leave out, where git itself is not asked.

The rules of one file hold for its folder and all below it, the deepest file that says anything
decides, and what lies in an ignored folder cannot be taken in again: gitignore(5).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import re2
from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from indexer.sources.looking import open_regular

OWN_IGNORE_FILE: Final = ".forebayignore"
"""What is to stay out of the index and not out of git: its rules are written as git's."""
GIT_IGNORE_FILE: Final = ".gitignore"
_LARGEST_BYTES: Final = 1_048_576
_LONGEST_LINE: Final = 4_096
"""As long as a path may be; a pattern costs more than its length."""


class _Rule(NamedTuple):
    """One line; matches a whole path from its file's folder on, a folder's with `/` behind it."""

    pattern: re2._Regexp[bytes]
    is_ignored: bool


class IgnoreRules:
    """The rules of the files of these names, read when something beside or below is asked for."""

    def __init__(self, root: Path, *names: str) -> None:
        self._root = root
        self._names = names
        self._rules: dict[str, list[_Rule]] = {}
        self._ignored_folders: dict[str, bool] = {"": False}

    def ignore(self, path: str, *, is_folder: bool) -> bool:
        """Whether the rules leave it out, the folders above it being in."""
        asked = os.fsencode(path) + (b"/" if is_folder else b"")
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            below = asked[len(os.fsencode(folder)) + 1 :] if folder else asked
            for rule in self._of(folder):
                if rule.pattern.fullmatch(below):
                    return rule.is_ignored
        return False

    def ignore_file(self, path: str) -> bool:
        """Whether they leave out a file, or one of the folders that it lies in."""
        return self._ignore_folder(path.rpartition("/")[0]) or self.ignore(path, is_folder=False)

    def _ignore_folder(self, path: str) -> bool:
        above = ""
        for name in path.split("/"):
            folder = f"{above}/{name}" if above else name
            if folder not in self._ignored_folders:
                self._ignored_folders[folder] = self._ignored_folders[above] or self.ignore(
                    folder, is_folder=True
                )
            above = folder
        return self._ignored_folders[path]

    def _of(self, folder: str) -> list[_Rule]:
        """Those of one folder, the last line first."""
        known = self._rules.get(folder)
        if known is None:
            read = (rule for name in self._names for rule in _read(self._root / folder / name))
            known = self._rules[folder] = [*read][::-1]
        return known


def _read(file: Path) -> Iterator[_Rule]:
    try:
        opened = open_regular(file)  # git follows no link here either
        if opened is None:
            return
        with opened:
            written = opened.read(_LARGEST_BYTES).decode("utf-8-sig", errors="surrogateescape")
    except OSError:
        return
    # Line by line: one that means nothing, such as a lone `!`, does not cost the others.
    for line in written.split("\n"):
        if rule := _rule(line.removesuffix("\r")):
            yield rule


def _rule(line: str) -> _Rule | None:
    if len(line) > _LONGEST_LINE:
        return None
    if line.endswith("/**/"):
        line += "*/"  # the folders below; pathspec takes the folder itself
    try:
        read = GitIgnoreSpecPattern(line)
        if read.include is None or read.regex is None:
            return None  # a comment, or nothing
        # Matched by RE2, and byte by byte as git does: no line of somebody's makes a scan stall.
        return _Rule(re2.compile(_whole(os.fsencode(read.regex.pattern)), _options()), read.include)
    except (GitIgnorePatternError, re.error, re2.error):
        return None


@cache
def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False  # it writes on stderr what is no fault of ours
    options.encoding = re2.Options.Encoding.LATIN1  # type: ignore[attr-defined] # its stub lacks it
    return options


def _whole(pattern: bytes) -> bytes:
    """For whole paths: pathspec leaves the beginning open, or the end, where anything fits."""
    begun = pattern if pattern.startswith(b"^") else b".*" + pattern
    return begun + b".+" if begun.endswith(b"/") else begun
