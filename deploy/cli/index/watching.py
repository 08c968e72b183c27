"""Whether a folder is still what it was: looked at again and again, as a scan sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

from indexer.sources.opening import open_source

_LOOK_SECONDS: Final = 2.0


async def changes_of(root: Path, *, limit_bytes: int) -> AsyncIterator[None]:
    """Once at the beginning, then after each change, until whoever asks has enough.

    A change is one of the names, the sizes or the times of what a scan lists: what it ignores is
    none. Looking is a scan in a thread.
    """
    seen: bytes | None = None
    while True:
        now = await asyncio.to_thread(_listed, root, limit_bytes)
        if now != seen:
            seen = now
            yield
        await asyncio.sleep(_LOOK_SECONDS)


def _listed(root: Path, limit_bytes: int) -> bytes:
    digest = blake2b()
    for each in open_source(root, limit_bytes=limit_bytes).scan():
        digest.update(repr(each).encode(errors="surrogatepass"))
    return digest.digest()
