"""Pieces of a set size cover the text in order, overlap as asked, and end behind words."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from indexer.splitting.sized import ChunkSizes, sized
from indexer.splitting.splitter import split_document
from shared.token_count import estimated_tokens

WORDS = " ".join(f"word{nth}" for nth in range(2_000))


def cut(text: str, most: int, overlap: int) -> list[str]:
    chunks = split_document("a.txt", text.encode(), text).chunks
    return [each.text for each in sized(chunks, ChunkSizes(most, overlap))]


def test_each_piece_has_the_size_and_whole_words() -> None:
    pieces = cut(WORDS, 200, 0)
    assert [word for piece in pieces for word in piece.split()] == WORDS.split()
    sizes = [estimated_tokens(piece) for piece in pieces]
    assert max(sizes) <= 220
    assert min(sizes[:-1]) >= 150


def test_what_overlaps_stands_in_both() -> None:
    pieces = cut(WORDS, 200, 100)
    for before, after in pairwise(pieces):
        shared = [*before.split()][-10:]
        assert " ".join(shared) in " ".join(after.split())
    assert {word for piece in pieces for word in piece.split()} == {*WORDS.split()}


@given(st.text(max_size=2_000), st.integers(100, 300))
def test_nothing_is_lost_of_any_text(text: str, most: int) -> None:
    assert "".join("".join(cut(text, most, 0)).split()) == "".join(text.split())


@given(st.text(max_size=2_000), st.integers(100, 300))
def test_any_overlap_comes_to_an_end(text: str, most: int) -> None:
    pieces = cut(text, most, most // 2)
    assert {*"".join(pieces)} >= {*"".join(text.split())}


def test_lines_and_headings_are_those_of_the_document() -> None:
    text = "\n".join(f"# Part {nth}\n\n{WORDS[:900]}\n" for nth in range(4))
    chunks = split_document("a.md", text.encode(), text).chunks
    pieces = [*sized(chunks, ChunkSizes(400, 0))]
    assert pieces[0].header == "Part 0"
    assert pieces[0].first_line == 1
    assert pieces[-1].last_line == text.rstrip().count("\n") + 1
