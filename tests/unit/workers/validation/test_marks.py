"""Marks are read and taken out, the same in whatever pieces a text comes."""

from __future__ import annotations

import random

import pytest

from workers.validation.marks import MarkReader, citings_in, unknown_numbers

LETTERS = "[]1 2,;`\n(a【】\t"


@pytest.mark.parametrize(
    ("text", "told", "found"),
    [
        ("The dam holds [1].", "The dam holds.", [(13, (1,))]),
        ("Two [1][2] here", "Two here", [(3, (1,)), (3, (2,))]),
        ("Both [1, 3].", "Both.", [(4, (1, 3))]),
        ("As OpenAI【2】.", "As OpenAI.", [(9, (2,))]),
        ("[1] At first.\n[2] Then.", "At first.\nThen.", [(0, (1,)), (10, (2,))]),
        ("In code `a[1]` and out [2]", "In code `a[1]` and out", [(22, (2,))]),
        ("```\na[1]\n```\nout [2]", "```\na[1]\n```\nout", [(16, (2,))]),
        ("One ` alone [1]\nnext [2]", "One ` alone [1]\nnext", [(20, (2,))]),
        ("A [1](https://example.com)", "A [1](https://example.com)", []),
        ("No end [1", "No end [1", []),
        ("No number [a] [1234]", "No number [a] [1234]", []),
        ("", "", []),
    ],
)
def test_a_mark_is_taken_out_with_the_blank_before_it(
    text: str, told: str, found: list[tuple[int, tuple[int, ...]]]
) -> None:
    assert citings_in(text) == (told, found)


def test_pieces_make_no_difference() -> None:
    dice = random.Random(7)
    for _ in range(5_000):
        text = "".join(dice.choices(LETTERS, k=dice.randint(0, 24)))
        reader, told, at = MarkReader(), "", 0
        while at < len(text):
            length = dice.randint(1, 4)
            told += reader.feed(text[at : at + length])
            at += length
        told += reader.close()
        assert (told, reader.citings) == citings_in(text), repr(text)


def test_half_a_mark_never_leaves() -> None:
    reader = MarkReader()
    assert [reader.feed(piece) for piece in ("It holds", " ", "[", "1", "]", ".")] == [
        *("It holds", "", "", "", "", "."),
    ]
    assert reader.citings == [(8, (1,))]


def test_a_long_run_of_blanks_or_brackets_is_read_in_time_that_grows_with_it() -> None:
    for letters in (" ", "[", "[1", "`", "1,"):
        text = letters * 100_000
        assert len(citings_in(text)[0]) > 0


def test_numbers_that_are_no_passages_are_told() -> None:
    _, citings = citings_in("a [0] b [1, 7] c [3]")
    assert unknown_numbers(citings, 3) == [0, 7]
