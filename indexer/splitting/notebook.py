"""Jupyter notebooks: the text of their cells, without outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from indexer.splitting.chunk import Chunk, UnreadableDocument
from indexer.splitting.code import split_code, split_lines
from indexer.splitting.languages import GRAMMARS
from indexer.splitting.prose import split_markdown

_PYTHON = "python"


class _Cell(msgspec.Struct):
    cell_type: str = ""
    source: str | list[str] = ""


class _Notebook(msgspec.Struct):
    """nbformat 4; what is older keeps its cells elsewhere and is read as text."""

    cells: list[_Cell]
    metadata: dict[str, Any] = {}


def split_notebook(text: str) -> Iterator[Chunk]:
    """Chunks cell by cell, in their order; lines are those of their cell.

    Raises UnreadableDocument.
    """
    try:
        notebook = msgspec.json.decode(text, type=_Notebook)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableDocument(f"It is no Jupyter notebook: {error}.") from None
    language = _language(notebook)
    for cell in notebook.cells:
        said = cell.source if isinstance(cell.source, str) else "".join(cell.source)
        if cell.cell_type != "code":
            yield from split_markdown(said)
        elif language in GRAMMARS:
            yield from split_code(said, language).chunks
        else:
            yield from split_lines(said, language)


def _language(notebook: _Notebook) -> str:
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        told = notebook.metadata.get(key)
        if isinstance(told, dict) and isinstance(told.get(name), str):
            return str(told[name]).lower()
    return _PYTHON
