"""Packages that others load wherever they are installed, in processes that have no use for them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def left_out(*names: str) -> Iterator[None]:
    """What is imported inside finds these modules missing, and does without as if they were not
    installed; afterwards they can be imported. One that was imported before stays what it is.

    For imports that are optional by their module's own word alone. Belongs to one thread.
    """
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's way to say: there is none
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
