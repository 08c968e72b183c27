"""Pages of man: what a page is for, and the page without the line that says so."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from indexer.evaluation.judged_set import (
    JudgedPassage,
    JudgedQuestion,
    JudgedSet,
    MissingSet,
    ReferenceDocument,
    cut_page,
    unique_questions,
)
from indexer.evaluation.sets.roff import sections_of
from indexer.evaluation.sets.sampling import some_of

MANUAL: Final = "manual"
PLACES: Final = (Path("/usr/share/man"), Path("/usr/local/share/man"))
_LARGEST: Final = 200_000
"""Bytes as packed; larger ones are whole books, and a sample of pages would be one book."""
_FEWEST_WORDS: Final = 3


def manual(limit: int, *, places: tuple[Path, ...] = PLACES) -> JudgedSet | MissingSet:
    """The description of the NAME section as a question; pages that share one are not asked for."""
    files = [
        each
        for place in places
        for each in place.glob("man[1-8]/*")
        if each.is_file() and not each.is_symlink() and each.stat().st_size <= _LARGEST
    ]
    pages = [*_pages(some_of(files, limit, by=lambda each: each.name))]
    if not pages:
        return MissingSet(MANUAL, f"There are no man pages in {places[0]}: install man-db.")
    passages: list[JudgedPassage] = []
    questions = []
    for target, asked, text in pages:
        passages += cut_page(f"{target}.md", text, target=target).passages
        questions.append(JudgedQuestion(target, asked, {target: 1.0}, target))
    return JudgedSet(
        MANUAL,
        MANUAL,
        "pages of man on this machine",
        len(pages),
        tuple(passages),
        unique_questions(questions),
        reference=tuple(ReferenceDocument(name, name, text, None, text) for name, _, text in pages),
    )


def _pages(files: list[Path]) -> Iterator[tuple[str, str, str]]:
    """Of each page its name, what it says it is for, and the rest of it; equal pages once."""
    seen: set[str] = set()
    for file in files:
        name = file.name.removesuffix(".gz")
        sections = [*sections_of(_content(file))]
        about = next((text for title, text in sections if title.upper() == "NAME"), "")
        _, dash, asked = " ".join(about.split()).partition(" - ")
        rest = [(title, text) for title, text in sections if title and title.upper() != "NAME"]
        text = "\n\n".join(f"## {title}\n\n{said}" for title, said in rest if said)
        if dash and len(asked.split()) >= _FEWEST_WORDS and text and text not in seen:
            seen.add(text)
            yield name, asked, f"# {name}\n\n{text}\n"


def _content(file: Path) -> str:
    try:
        content = file.read_bytes()
        content = gzip.decompress(content) if file.suffix == ".gz" else content
    except (OSError, EOFError):
        return ""
    return content.decode("utf-8", errors="replace")
