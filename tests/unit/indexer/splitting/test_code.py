"""Code is cut at definitions, and an edit changes the chunk that it is in."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import pytest

from indexer.splitting.code import split_code

_BODY = "".join(f"    step_{number} = compute_something({number})\n" for number in range(12))


def function(name: str, body: str = _BODY) -> str:
    return f"def {name}(x):\n{body}\n\n"


def keys(text: str) -> set[str]:
    return {each.key() for each in split_code(text, "python").chunks}


def test_a_function_of_some_size_is_a_chunk_with_its_comment_and_its_name() -> None:
    text = "import a\n\n\n# What one does.\n" + function("one") + function("two")
    chunks = split_code(text, "python").chunks
    assert [each.symbol for each in chunks] == [None, "one", "two"]
    assert chunks[1].text.startswith("\n\n# What one does.\ndef one(x):")
    assert chunks[1].header == "one: def one(x):"


def test_a_large_class_is_divided_into_its_methods() -> None:
    methods = "".join(
        "    def " + name + "(self):\n" + _BODY.replace("    ", "        ") for name in "abcdef"
    )
    chunks = split_code(f"class Large:\n    '''What it is.'''\n\n{methods}", "python").chunks
    symbols = ["Large", *(f"Large.{name}" for name in "abcdef")]
    assert [each.symbol for each in chunks] == symbols
    assert chunks[0].text.startswith("class Large:")


def test_an_edit_of_one_function_changes_one_key() -> None:
    text = "".join(function(f"function_{number}") for number in range(20))
    edited = text.replace("def function_7(x):\n", "def function_7(x):\n    y = 1\n")
    assert len(keys(edited) - keys(text)) == 1
    assert len(keys(text) - keys(edited)) == 1


def test_a_function_that_moved_is_the_same_chunk() -> None:
    functions = [function(f"function_{number}") for number in range(6)]
    assert keys("".join(functions)) == keys("".join(reversed(functions)))


def test_small_neighbours_stand_together() -> None:
    text = "".join(f"def f{number}(): return {number}\n\n\n" for number in range(10))
    [chunk] = split_code(text, "python").chunks
    assert chunk.symbol is None


def test_an_unclosed_bracket_makes_no_chunk_too_large() -> None:
    text = "def f():\n    x = (\n" + "".join(function(f"g{number}") for number in range(20))
    assert len(split_code(text, "python").chunks) > 10


def test_what_nests_without_end_is_cut_by_its_lines() -> None:
    text = "x = " + "(\n" * 3000 + "1" + ")\n" * 3000
    chunks = split_code(text, "python").chunks
    assert "".join("".join(each.text for each in chunks).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "write",
    [
        lambda size: "(" * (size // 2) + ")" * (size // 2),
        lambda size: "a" + ".b()" * (size // 4),
        lambda size: "export const " + ",".join(f"a{n} = () => 1" for n in range(size // 14)),
    ],
    ids=["ends on one line", "a chain of calls", "definitions of one statement"],
)
def test_time_grows_with_the_text_and_no_faster(write: Callable[[int], str]) -> None:
    def seconds(size: int) -> float:
        began = process_time()
        split_code(write(size), "javascript")
        return process_time() - began

    # What looks at all of it for each part of it takes 36 times as long for 6 times as much.
    assert min(seconds(48_000) for _ in range(2)) < 15 * min(seconds(8_000) for _ in range(3))
