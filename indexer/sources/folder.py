"""A folder that is no checkout: walked file by file, in the order of paths."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from indexer.sources.found import FoundFile, SkippedFile, SkipReason, shown_path
from indexer.sources.ignore_rules import GIT_IGNORE_FILE, OWN_IGNORE_FILE, IgnoreRules
from indexer.sources.looking import look_at


class FolderSource:
    """Its files, `.gitignore` and `.forebayignore` heeded; a `.git` is never walked."""

    def __init__(self, root: Path, *, limit_bytes: int) -> None:
        self._root = root
        self._limit_bytes = limit_bytes
        self._rules = IgnoreRules(root, OWN_IGNORE_FILE, GIT_IGNORE_FILE)

    def scan(self) -> Iterator[FoundFile | SkippedFile]:
        """Every file once. What cannot be listed is told as skipped; memory is one folder's names
        for each level."""
        waiting = [""]
        while waiting:
            path = waiting.pop()
            if path and not path.endswith("/"):
                seen = look_at(self._root, path, limit_bytes=self._limit_bytes)
                if seen is not None:
                    yield seen
                continue
            try:
                below = self._below(path)
            except OSError as error:
                why = f"It cannot be listed: {error.strerror}."
                yield SkippedFile(shown_path(path or "."), SkipReason.UNREADABLE, why)
            else:
                waiting += below

    def _below(self, folder: str) -> list[str]:
        """What is to be looked at, the first path last; a folder ends in `/`."""
        kept = []
        with os.scandir(self._root / folder) as entries:
            for entry in entries:
                path = folder + entry.name
                is_folder = entry.is_dir(follow_symlinks=False)
                if entry.name != ".git" and not self._rules.ignore(path, is_folder=is_folder):
                    kept.append(path + "/" if is_folder else path)
        return sorted(kept, reverse=True)
