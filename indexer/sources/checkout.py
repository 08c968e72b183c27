"""A checkout of git: what git itself lists, and which commit it shows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

import msgspec

from indexer.sources.found import FoundFile, SkippedFile
from indexer.sources.ignore_rules import OWN_IGNORE_FILE, IgnoreRules
from indexer.sources.looking import look_at
from shared.errors import InvalidRequest

# A checkout's own configuration may name programs that git would start: not for a listing.
_GIT: Final = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_ASK_SECONDS: Final = 30.0
_PIECE_BYTES: Final = 65_536


class Revision(msgspec.Struct, frozen=True):
    """What a checkout shows."""

    commit: str | None
    """None before the first commit."""
    branch: str | None
    """None where it shows a commit and no branch."""


class CheckoutSource:
    """The tracked files and the new ones that git does not ignore, `.forebayignore` heeded.

    Submodules and repositories inside are listed as skipped: each is a source of its own.
    """

    def __init__(self, root: Path, *, limit_bytes: int) -> None:
        self._root = root
        self._limit_bytes = limit_bytes
        self._rules = IgnoreRules(root, OWN_IGNORE_FILE)

    @property
    def revision(self) -> Revision:
        """The commit and the branch. Raises InvalidRequest where git refuses the folder."""
        commit = _ask(self._root, "rev-parse", "--quiet", "--verify", "HEAD^{commit}", empty_on=1)
        branch = _ask(self._root, "symbolic-ref", "--quiet", "--short", "HEAD", empty_on=1)
        return Revision(commit or None, branch or None)

    def scan(self) -> Iterator[FoundFile | SkippedFile]:
        """Every file once. Raises InvalidRequest where git refuses the folder or stops midway."""
        for path in _listed(self._root):
            if self._rules.ignore_file(path.rstrip("/")):
                continue
            seen = look_at(self._root, path.rstrip("/"), limit_bytes=self._limit_bytes)
            if seen is not None:
                yield seen


def is_checkout(folder: Path) -> bool:
    """Whether git is there and the folder lies in a work tree that does not ignore it.

    Raises InvalidRequest where git finds a work tree and refuses it.
    """
    try:
        inside = _ask(folder, "rev-parse", "--is-inside-work-tree", empty_on=128)
        return inside == "true" and not _is_ignored(folder)
    except FileNotFoundError:
        return False  # no git


def _is_ignored(folder: Path) -> bool:
    top = _ask(folder, "rev-parse", "--show-prefix")
    if not top:
        return False
    return bool(_ask(folder, "check-ignore", ".", empty_on=1))


def _listed(root: Path) -> Iterator[str]:
    arguments = ("ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z")
    with TemporaryFile() as complaints, _start(root, *arguments, complaints=complaints) as git:
        rest = b""
        while piece := git.stdout.read(_PIECE_BYTES):  # type: ignore[union-attr] # it is a pipe
            *paths, rest = (rest + piece).split(b"\0")
            yield from map(os.fsdecode, paths)
        if git.wait():
            complaints.seek(0)
            raise _refused(root, complaints.read(_PIECE_BYTES))


def _ask(folder: Path, *arguments: str, empty_on: int | None = None) -> str:
    """What git answers in one line; empty where it ends with `empty_on`."""
    with _start(folder, *arguments) as git:
        try:
            answered, said = git.communicate(timeout=_ASK_SECONDS)
        except subprocess.TimeoutExpired:
            git.kill()
            raise _refused(folder, b"it does not answer") from None
    if git.returncode == empty_on and b"dubious ownership" not in said:
        return ""
    if git.returncode:
        raise _refused(folder, said)
    return os.fsdecode(answered).rstrip("\n")


def _start(
    folder: Path, *arguments: str, complaints: int | IO[bytes] = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    # Of whoever called us: another repository may be named there.
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    return subprocess.Popen(  # noqa: S603 - no shell, and a path is an argument of `-C`
        [*_GIT, "-C", str(folder), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=complaints,
        env=environment | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"},
    )


def _refused(folder: Path, said: bytes) -> InvalidRequest:
    words = said.decode(errors="replace").strip().removeprefix("fatal: ")
    return InvalidRequest(f"git cannot list {folder}: {words}", param="path")
