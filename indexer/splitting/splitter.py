"""Which way a file is cut: by its name and by what it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Final

import msgspec

from indexer.splitting.chunk import Chunk, UnreadableDocument
from indexer.splitting.code import split_code, split_lines
from indexer.splitting.html import split_html
from indexer.splitting.languages import language_of
from indexer.splitting.notebook import split_notebook
from indexer.splitting.outline import Outline
from indexer.splitting.pdf import split_pdf
from indexer.splitting.prose import split_markdown, split_restructured_text, split_text

_FORMATS: Final[dict[str, Callable[[str], Iterable[Chunk]]]] = {
    ".md": split_markdown,
    ".markdown": split_markdown,
    ".rst": split_restructured_text,
    ".html": split_html,
    ".htm": split_html,
    ".xhtml": split_html,
    ".ipynb": split_notebook,
}
_BY_LINES: Final = frozenset({
    ".toml", ".yaml", ".yml", ".json", ".jsonl", ".xml", ".ini", ".cfg", ".conf", ".sql", ".css",
    ".scss", ".proto", ".graphql", ".tf", ".lua", ".php", ".kt", ".swift", ".scala", ".cs", ".pl",
    ".r", ".jl", ".hs", ".ex", ".exs", ".erl", ".clj", ".dart", ".zig", ".vue", ".svelte", ".mk",
    ".cmake", ".gradle", ".csv", ".tsv", ".ps1", ".bat", ".vim", ".el", ".lisp", ".asm", ".s",
})  # fmt: skip
_BY_LINES_NAMED: Final = frozenset({"Makefile", "Dockerfile", "CMakeLists.txt", "Jenkinsfile"})


class SplitDocument(msgspec.Struct, frozen=True):
    """A document in pieces."""

    language: str
    """Of a programming language its name, else of the format."""
    chunks: list[Chunk]
    outline: Outline | None = None
    """Of code that was read by its syntax tree."""
    trouble: str | None = None
    """Why it has no chunks, or was cut as plain text: one sentence."""


def split_document(path: str, content: bytes, text: str | None) -> SplitDocument:
    """Every document is cut somehow; what cannot be read at all has no chunks and says why.

    `text` is None of a PDF alone, which `content` holds.
    """
    if text is None:
        try:
            return SplitDocument("pdf", [*split_pdf(content)])
        except UnreadableDocument as unreadable:
            return SplitDocument("pdf", [], trouble=str(unreadable))
    if language := language_of(path, text):
        code = split_code(text, language)
        return SplitDocument(language, code.chunks, code.outline)
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    if split := _FORMATS.get(suffix):
        try:
            chunks = [*split(text)]
        except UnreadableDocument as unreadable:
            return SplitDocument("text", [*split_text(text)], trouble=str(unreadable))
        return SplitDocument(suffix.lstrip("."), chunks)
    if suffix in _BY_LINES or name.name in _BY_LINES_NAMED:
        language = suffix.lstrip(".") or name.name.lower()
        return SplitDocument(language, [*split_lines(text, language)])
    return SplitDocument("text", [*split_text(text)])
