"""PDF, page by page, in a process of its own: a parser that stalls or swells stops nobody else."""

from __future__ import annotations

import logging
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Final

import msgspec

from indexer.splitting.chunk import Chunk, ChunkKind, UnreadableDocument
from indexer.splitting.packing import pack_prose
from shared.search.folding import folded

PATIENCE_SECONDS: Final = 60.0
_MEMORY_BYTES: Final = 2 * 1024**3
_HYPHEN: Final = re.compile(r"(?<=[^\W\d])-\n(?=[^\W\d])")
_ENOUGH: Final = 5_000_000
"""Characters of one document; what says more is no text."""


def split_pdf(content: bytes, *, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[Chunk]:
    """Chunks that lie in one page each; ligatures and hyphens at line ends are undone.

    Raises UnreadableDocument for a file that is damaged, encrypted or without text, or that is not
    read in time.
    """
    told = _ask(content, patience_seconds)
    if not any(page.strip() for page in told):
        raise UnreadableDocument("No page has text: it may be scanned. Recognise its text first.")
    for number, page in enumerate(told, 1):
        for first, last in pack_prose(page, 0, len(page)):
            if page[first:last].strip():
                yield Chunk(ChunkKind.PROSE, "pdf", "", None, page[first:last], number, number)


def _ask(content: bytes, patience_seconds: float) -> list[str]:
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", __name__],
            input=content,
            capture_output=True,
            timeout=patience_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnreadableDocument(f"It was not read within {patience_seconds:g} seconds.") from None
    if done.returncode:
        said = done.stdout.decode(errors="replace") or "its reader ended without a word"
        raise UnreadableDocument(f"It cannot be read as PDF: {said}.")
    return msgspec.json.decode(done.stdout, type=list[str])


def read_pages(content: bytes) -> list[str]:
    """The text of each page. Raises whatever pypdf does: only its own process is to call it."""
    from pypdf import PdfReader

    pages, read = [], 0
    for page in PdfReader(BytesIO(content)).pages:
        said = folded(page.extract_text())
        said = said.encode(errors="replace").decode()
        pages.append(_HYPHEN.sub("", said))
        read += len(said)
        if read > _ENOUGH:
            break
    return pages


def main() -> int:
    """Reads a PDF on stdin, prints its pages as JSON, or one line of what is wrong."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable()
    try:
        pages = read_pages(sys.stdin.buffer.read())
    except Exception as error:  # noqa: BLE001 - the process's edge: every fault is its answer
        what = " ".join(str(error).split()) or type(error).__name__
        sys.stdout.write(what[:200].rstrip("."))
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(pages))
    return 0


if __name__ == "__main__":
    sys.exit(main())
