"""A path as a source: whether a folder is a checkout is seen, not asked."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from indexer.sources.checkout import CheckoutSource, is_checkout
from indexer.sources.folder import FolderSource
from shared.errors import InvalidRequest

_FOLDER: Final = "folder:"
_GIT: Final = "git:"


def source_name(path: Path) -> str:
    """What the ledger calls the source that a path is: `git:/…` of a checkout, else `folder:/…`.

    Raises InvalidRequest where there is no folder, or git refuses it.
    """
    _require_folder(path)
    root = path.resolve()
    return f"{_GIT if is_checkout(root) else _FOLDER}{root}"


def root_of(source: str) -> Path:
    """The folder of a source; raises InvalidRequest for a name that `source_name` does not give."""
    for prefix in (_FOLDER, _GIT):
        if source.startswith(prefix + "/"):
            return Path(source.removeprefix(prefix))
    raise InvalidRequest(f"{source} is no folder and no checkout.", param="source")


def open_named(source: str, *, limit_bytes: int) -> FolderSource | CheckoutSource:
    """The source of that name, as it is now; raises InvalidRequest."""
    root = root_of(source)
    _require_folder(root)
    if source.startswith(_GIT):
        return CheckoutSource(root, limit_bytes=limit_bytes)
    return FolderSource(root, limit_bytes=limit_bytes)


def open_source(path: Path, *, limit_bytes: int) -> FolderSource | CheckoutSource:
    """What is to be scanned below a folder; a larger file than `limit_bytes` is skipped.

    Raises InvalidRequest where there is no folder, or git refuses it.
    """
    return open_named(source_name(path), limit_bytes=limit_bytes)


def _require_folder(path: Path) -> None:
    if not path.is_dir():
        missing = "is no folder" if path.exists() else "does not exist"
        raise InvalidRequest(f"{path} {missing}. Name a folder or a checkout.", param="path")
