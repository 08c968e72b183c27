"""Files, folders and functions stay small enough to be read in one go."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from tests.architecture.tree import ROOT, files_of_tests, product_files

LONGEST_FILE = 250
USUAL_FILE = 180
LONGEST_FUNCTION = 40
FULLEST_FOLDER = 16
EMPTIEST_FOLDER = 3
BANNED_NAMES = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "base",
    "manager",
    "handler",
    "processor",
    "service",
    "data",
    "info",
}


def test_no_file_is_longer_than_250_lines() -> None:
    too_long = {
        _name(file): length
        for file in [*product_files(), *files_of_tests()]
        if (length := _length(file)) > LONGEST_FILE
    }
    assert not too_long


def test_nine_product_files_in_ten_have_fewer_than_180_lines() -> None:
    lengths = [_length(file) for file in product_files()]
    long = [length for length in lengths if length >= USUAL_FILE]
    assert len(long) <= len(lengths) / 10


def test_no_function_is_longer_than_40_lines() -> None:
    too_long = {
        f"{_name(file)}:{function.lineno} {function.name}": _function_length(function)
        for file in product_files()
        if "versions" not in file.parts  # a migration is a list, not a decision
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and _function_length(function) > LONGEST_FUNCTION
    }
    assert not too_long


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    found = [
        _name(file)
        for file in [*product_files(), *files_of_tests()]
        if BANNED_NAMES & {*file.relative_to(ROOT).parent.parts, file.stem}
    ]
    assert not found


def test_no_folder_has_more_than_16_files() -> None:
    files = Counter(
        _name(file.parent)
        for file in product_files()
        if file.name != "__init__.py" and "versions" not in file.parts
    )
    assert not {folder: number for folder, number in files.items() if number > FULLEST_FOLDER}


def test_no_folder_has_fewer_than_three_entries() -> None:
    entries: dict[Path, set[str]] = {}
    for file in product_files():
        for folder in file.relative_to(ROOT).parents[:-1]:
            beside = {each.name for each in (ROOT / folder).iterdir()}
            entries[folder] = beside - {"__init__.py", "__pycache__"}
    assert entries
    few = {str(folder): names for folder, names in entries.items() if len(names) < EMPTIEST_FOLDER}
    assert few.keys() <= {"indexer"}, "a folder says that siblings lie side by side"


def test_no_two_classes_have_the_same_name() -> None:
    places: dict[str, list[str]] = {}
    for file in product_files():
        for each in ast.parse(file.read_text()).body:
            if isinstance(each, ast.ClassDef):
                places.setdefault(each.name, []).append(_name(file))
    assert not {name: files for name, files in places.items() if len(files) > 1}


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _length(file: Path) -> int:
    return len(file.read_text().splitlines())


def _function_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of its body without the docstring: the guarantee may be as long as it needs to be."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return 0 if not body else (body[-1].end_lineno or 0) - body[0].lineno + 1
