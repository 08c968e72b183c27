"""Python's own library: what a docstring says, and the function that it was taken out of."""

from __future__ import annotations

import ast
import hashlib
import platform
import re
import sysconfig
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from indexer.evaluation.judged_set import (
    CutFile,
    JudgedQuestion,
    JudgedSet,
    MissingSet,
    ReferenceDocument,
    WholeDocuments,
    cut_code,
    unique_questions,
    unlike,
    with_parts_apart,
)
from indexer.evaluation.reference.function_documents import functions_of
from indexer.evaluation.sets.sampling import some_of

DOCSTRINGS: Final = "docstrings"
SYMBOLS: Final = "symbols"
_CORPUS: Final = "python"
_LEFT_OUT: Final = frozenset({"site-packages", "test", "tests", "idle_test", "__pycache__"})
_FEWEST_WORDS: Final = 3
_LONGEST: Final = 400
_MOST_SYMBOLS: Final = 500
_SHORTEST_SYMBOL: Final = 4
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Library(msgspec.Struct, frozen=True):
    origin: str
    files: tuple[CutFile, ...]
    said: tuple[tuple[str, str, str], ...]
    """Of each docstring its first paragraph, the target of its function, and where that begins."""


def docstrings(limit: int) -> JudgedSet | MissingSet:
    """First paragraphs of docstrings as questions; the docstrings themselves are taken out.

    What is asked twice, is still written somewhere, or is of the same body as another is left out.
    """
    library = _library(limit)
    if not library.files:
        return MissingSet(DOCSTRINGS, f"Python's library is not in {_root()}.")
    passages, stands_for = unlike([each for file in library.files for each in file.passages])
    left = "\n".join(" ".join(each.chunk.text.split()) for each in passages)
    reference, first_of = _functions_alone(library.files, stands_for)
    questions = unique_questions(
        JudgedQuestion(
            f"{target}?{_digits(text)}",
            text,
            {stands_for.get(target, target): 1.0},
            first_of[place],
        )
        for text, target, place in library.said
    )
    return JudgedSet(
        DOCSTRINGS,
        _CORPUS,
        library.origin,
        len(library.files),
        passages,
        tuple(each for each in questions if each.text not in left),
        reference=reference,
    )


def _functions_alone(
    files: tuple[CutFile, ...], stands_for: dict[str, str]
) -> tuple[tuple[ReferenceDocument, ...], dict[str, str]]:
    """By where they begin; of equal ones the first, and for each place the one that stands for it:
    among the passages they are one as well.
    """
    kept: dict[str, ReferenceDocument] = {}
    first_of: dict[str, str] = {}
    for file in files:
        for each in functions_of(file.path, file.text):
            target, code = file.target_at(each.line), " ".join(each.code.split())
            if target is not None:
                place = f"{file.path}:{each.line}"
                words = f"{each.header} {each.code}"
                target = stands_for.get(target, target)
                made = ReferenceDocument(place, target, each.header, each.code, words)
                first_of[place] = kept.setdefault(code, made).name
    return tuple(kept.values()), first_of


def symbols(limit: int) -> JudgedSet | MissingSet:
    """Names that are defined once, half of them qualified, as questions for their definitions."""
    library = _library(limit)
    if not library.files:
        return MissingSet(SYMBOLS, f"Python's library is not in {_root()}.")
    passages, stands_for = unlike([each for file in library.files for each in file.passages])
    asked = unique_questions(_names(library.files, stands_for))
    chosen = some_of(asked, _MOST_SYMBOLS, by=lambda each: each.id)
    return JudgedSet(
        SYMBOLS,
        _CORPUS,
        library.origin,
        len(library.files),
        passages,
        tuple(chosen),
        _whole(library.files, stands_for),
    )


def _whole(files: tuple[CutFile, ...], stands_for: dict[str, str]) -> WholeDocuments:
    return WholeDocuments(
        {file.path: file.text for file in files},
        {
            (file.path, each.chunk.first_line, each.chunk.last_line): stands_for.get(
                each.target, each.target
            )
            for file in files
            for each in file.passages
        },
    )


def _names(files: tuple[CutFile, ...], stands_for: dict[str, str]) -> Iterator[JudgedQuestion]:
    for file in files:
        for number, each in enumerate(file.split.outline.definitions if file.split.outline else ()):
            name = each.name.rpartition(".")[2]
            target = file.target_at(each.first_line)
            if target is None or len(name) < _SHORTEST_SYMBOL or name.startswith("__"):
                continue
            asked = each.name if number % 2 else name
            yield JudgedQuestion(target + "?" + asked, asked, {stands_for.get(target, target): 1.0})


@lru_cache(maxsize=1)
def _library(limit: int) -> _Library:
    files: list[CutFile] = []
    said: list[tuple[str, str, str]] = []
    for path, source in library_files(limit):
        try:
            bare, docs = without_docstrings(source)
        except (SyntaxError, ValueError):
            continue
        file = with_parts_apart(cut_code(path, bare))
        files.append(file)
        for line, text in docs:
            target = file.target_at(line)
            if target is not None and len(text.split()) >= _FEWEST_WORDS:
                said.append((text[:_LONGEST], target, f"{path}:{line}"))
    return _Library(f"Python {platform.python_version()}", tuple(files), tuple(said))


def library_files(limit: int) -> Iterator[tuple[str, str]]:
    """Paths below the library's folder with what they hold, without tests and what is installed."""
    root = _root()
    paths = [
        each.relative_to(root)
        for each in root.rglob("*.py")
        if _LEFT_OUT.isdisjoint(each.relative_to(root).parts)
    ]
    for path in some_of(paths, limit, by=lambda each: each.as_posix()):
        try:
            yield path.as_posix(), (root / path).read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue


def without_docstrings(source: str) -> tuple[str, list[tuple[int, str]]]:
    """The source without the docstrings of its functions, and of each the line where its function
    begins now, with its first paragraph.

    Raises SyntaxError and ValueError of what is no Python.
    """
    documented = [each for each in _functions(source) if ast.get_docstring(each)]
    lines = source.encode().splitlines(keepends=True)
    for each in sorted(documented, key=lambda one: one.body[0].lineno, reverse=True):
        _cut_out(lines, each)
    bare = b"".join(lines).decode()
    said = {_place(each): _first_paragraph(ast.get_docstring(each) or "") for each in documented}
    # Nothing but docstrings went: the functions are the same ones in the same order.
    pairs = zip(_functions(source), _functions(bare), strict=True)
    return bare, [(now.lineno, said[_place(old)]) for old, now in pairs if _place(old) in said]


def _functions(source: str) -> list[_Function]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in strings of old files
        tree = ast.parse(source)
    return [each for each in ast.walk(tree) if isinstance(each, _Function)]


def _place(function: _Function) -> tuple[int, int]:
    return function.lineno, function.col_offset


def _cut_out(lines: list[bytes], function: _Function) -> None:
    doc = function.body[0]
    first, last = doc.lineno - 1, (doc.end_lineno or doc.lineno) - 1
    before, behind = lines[first][: doc.col_offset], lines[last][doc.end_col_offset :]
    rest = behind.lstrip(b" \t;")
    if len(function.body) == 1:
        lines[first : last + 1] = [before + b"pass" + behind]
    else:
        lines[first : last + 1] = [before + rest] if (before + rest).strip() else []


def _first_paragraph(text: str) -> str:
    return " ".join(re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0].split())


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _root() -> Path:
    return Path(sysconfig.get_path("stdlib"))
