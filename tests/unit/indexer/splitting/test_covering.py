"""Whatever is cut, every character belongs to exactly one chunk, and no chunk is too large."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.splitting.chunk import MOST_CHARACTERS, Chunk, weight
from indexer.splitting.code import MOST_PARSED_BYTES, split_code, split_lines
from indexer.splitting.prose import split_markdown, split_restructured_text, split_text
from tests.unit.indexer.splitting.test_outline import SOURCES

OWN = sorted(Path("indexer").rglob("*.py")) + sorted(Path("workers/providers").rglob("*.py"))
_words = st.sampled_from(
    ["word ", "a. ", "\n", "\n\n", "# Title\n", "Title\n=====\n", "```\n", "  - item\n", "é日本。",
     "\r\n", "\r", "x" * 400, "y" * 1300, "long " * 400, "def f(x):\n    return 1\n",
     "class A:\n", "    def m(self): pass\n", "# comment\n", "((", "'''", "\t"]
)  # fmt: skip
_texts = st.lists(_words, max_size=60).map("".join)


def without_blank(text: str) -> str:
    """A chunk of white space alone is left out."""
    return "".join(text.split())


@pytest.mark.parametrize(
    "split", [split_text, split_markdown, split_restructured_text], ids=lambda each: each.__name__
)
@settings(max_examples=60, deadline=None)
@given(text=_texts)
def test_prose_is_covered(split: object, text: str) -> None:
    assert callable(split)
    check([*split(text)], text)


@settings(max_examples=60, deadline=None)
@given(text=_texts)
def test_code_is_covered(text: str) -> None:
    check(split_code(text, "python").chunks, text)
    check([*split_lines(text, "toml")], text)


@pytest.mark.parametrize("language", SOURCES)
def test_code_of_every_language_is_covered(language: str) -> None:
    text = SOURCES[language] * 40
    check(split_code(text, language).chunks, text)


def test_our_own_code_is_covered() -> None:
    for file in OWN:
        text = file.read_text()
        check(split_code(text, "python").chunks, text)


def test_a_file_too_large_to_be_parsed_is_cut_by_its_lines() -> None:
    text = "x = 1\n" * (MOST_PARSED_BYTES // 6 + 1)
    split = split_code(text, "python")
    assert not split.outline.definitions
    check(split.chunks, text)


def check(chunks: list[Chunk], text: str) -> None:
    assert without_blank("".join(each.text for each in chunks)) == without_blank(text)
    assert max((weight(each.text) for each in chunks), default=0) <= MOST_CHARACTERS
    place = 0
    for each in chunks:
        place = text.index(each.text, place)
        line = text.count("\n", 0, place + len(each.text) - len(each.text.lstrip())) + 1
        assert each.first_line == line
        assert each.first_line <= each.last_line
        place += len(each.text)
