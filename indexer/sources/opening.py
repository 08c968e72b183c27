"""A path as a source: whether a folder is a checkout is seen, not asked."""

from __future__ import annotations

from pathlib import Path

from indexer.sources.checkout import CheckoutSource, is_checkout
from indexer.sources.folder import FolderSource
from shared.errors import InvalidRequest


def open_source(path: Path, *, limit_bytes: int) -> FolderSource | CheckoutSource:
    """What is to be scanned below a folder; a larger file than `limit_bytes` is skipped.

    Raises InvalidRequest where there is no folder, or git refuses it.
    """
    if not path.is_dir():
        missing = "is no folder" if path.exists() else "does not exist"
        raise InvalidRequest(f"{path} {missing}. Name a folder or a checkout.", param="path")
    root = path.resolve()
    if is_checkout(root):
        return CheckoutSource(root, limit_bytes=limit_bytes)
    return FolderSource(root, limit_bytes=limit_bytes)
