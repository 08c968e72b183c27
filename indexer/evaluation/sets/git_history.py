"""A checkout's history: what a commit says, and the definitions that it changed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from indexer.evaluation.judged_set import (
    CutFile,
    JudgedQuestion,
    JudgedSet,
    MissingSet,
    cut_code,
    unique_questions,
)
from indexer.evaluation.sets.sampling import some_of
from indexer.splitting.languages import language_of
from shared.errors import InvalidRequest

COMMITS: Final = "commits"
_MOST_COMMITS: Final = 500
_MOST_TARGETS: Final = 10
"""A commit that changed more says nothing of each."""
_FEWEST_WORDS: Final = 4
_LARGEST: Final = 300_000
_MARK: Final = "\x01"
_FILE: Final = re.compile(r"\+\+\+ b/(.*)")
_HUNK: Final = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_GIT: Final = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_SECONDS: Final = 120.0


class _Commit(msgspec.Struct, frozen=True):
    id: str
    subject: str
    lines: dict[str, list[int]]
    """Of each path the lines that it wrote, as they stood then."""


def commits(checkout: Path | None, limit: int) -> JudgedSet | MissingSet:
    """Subjects as questions for the definitions that are still there under the same name.

    Raises InvalidRequest where git refuses the folder.
    """
    if checkout is None:
        return MissingSet(COMMITS, "No checkout is named: give one with --checkout.")
    listed = _git(checkout, "ls-files", "-z").split("\0")
    code = [each for each in listed if each and language_of(each, "")]
    files = {each: cut for each in some_of(code, limit) if (cut := _cut(checkout, each))}
    passages = tuple(each for file in files.values() for each in file.passages)
    there = {each.target for each in passages if each.chunk.symbol}
    asked = unique_questions(
        JudgedQuestion(commit.id, commit.subject, dict.fromkeys(targets, 1.0))
        for commit in _history(checkout)
        if len(commit.subject.split()) >= _FEWEST_WORDS
        and 0 < len(targets := _changed(checkout, commit, files) & there) <= _MOST_TARGETS
    )
    if not asked:
        why = f"No commit of {checkout} changed a definition that is still there."
        return MissingSet(COMMITS, why)
    first = _git(checkout, "rev-list", "--max-parents=0", "HEAD").split()[0]
    origin = f"the checkout that began with {first[:12]}"
    return JudgedSet(COMMITS, "checkout", origin, len(files), passages, asked)


def _cut(checkout: Path, path: str) -> CutFile | None:
    file = checkout / path
    try:
        if file.is_symlink() or file.stat().st_size > _LARGEST:
            return None
        return cut_code(path, file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _changed(checkout: Path, commit: _Commit, files: dict[str, CutFile]) -> set[str]:
    """The targets of the lines that it wrote, in its own files."""
    found: set[str] = set()
    for path, lines in commit.lines.items():
        if path in files:
            then = cut_code(path, _git(checkout, "show", f"{commit.id}:{path}"))
            found |= {target for line in lines if (target := then.target_at(line))}
    return found


def _history(checkout: Path) -> Iterator[_Commit]:
    """The newest first; merges are left out."""
    told = _git(
        *(checkout, "log", "--no-merges", f"--max-count={_MOST_COMMITS}", "--unified=0"),
        *("--no-color", "--no-ext-diff", "--no-renames", "--format=%x01%H%x00%s"),
    )
    for part in told.split(_MARK)[1:]:
        head, _, diff = part.partition("\n")
        id_, _, subject = head.partition("\0")
        yield _Commit(id_, subject, _written(diff.splitlines()))


def _written(diff: Sequence[str]) -> dict[str, list[int]]:
    written: dict[str, list[int]] = {}
    lines: list[int] = []
    for line in diff:
        if found := _FILE.fullmatch(line):
            lines = written.setdefault(found[1], [])
        elif found := _HUNK.match(line):
            first, count = int(found[1]), int(found[2] or 1)
            lines += range(first, first + count)
    return written


def _git(checkout: Path, *arguments: str) -> str:
    # Of whoever called us: another repository may be named there.
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    try:
        ended = subprocess.run(  # noqa: S603 - no shell, and a path is an argument of `-C`
            [*_GIT, "-C", str(checkout), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            env=environment | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise InvalidRequest(
            f"--checkout: git does not answer: {error}", param="checkout"
        ) from None
    if ended.returncode:
        said = ended.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise InvalidRequest(f"--checkout: git refuses {checkout}: {said}", param="checkout")
    return ended.stdout.decode(errors="replace")
