"""What a chunk is found by."""

from __future__ import annotations

import pytest

from indexer.splitting.chunk import Chunk, ChunkKind
from indexer.splitting.passage_texts import in_words, passage_texts


def test_of_code_the_text_encoder_reads_names_signatures_and_docstrings() -> None:
    text = (
        "# Of people.\n"
        'def getUser_name(self):\n    """The name."""\n    # cached\n    return self._n\n\n'
        "async def drop_user(id):\n    del self._n[id]\n"
    )
    header = "Users: class Users(Base)"
    chunk = Chunk(ChunkKind.CODE, "python", header, "Users", text, 1, 4)

    texts = passage_texts(chunk)

    assert texts.for_text == (
        "Users class Users Base get User name self drop user id Of people. The name."
    )
    assert texts.for_code == "Users\n" + text.rstrip("\n")
    assert texts.body == f"{chunk.header}\n" + text.rstrip("\n")


def test_code_of_a_part_is_read_with_the_name_that_it_stands_under() -> None:
    chunk = Chunk(ChunkKind.CODE, "python", "", "Users.dropUser", "    return 1\n", 1, 1)

    assert passage_texts(chunk).for_code == "Users drop User\n    return 1"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("export function readFile(path) {\n}", "read File path"),
        ("func (s *Store) Query(id string) error {\n}", "s Store Query id string error"),
        ("/// Adds.\npub fn add(a: i32) -> i32 {\n}", "add a Adds."),
        ("/** Says hello. */\nvoid hello();", "Says hello."),
        ("public abstract class Shape {\n}", "Shape"),
    ],
)
def test_other_languages_say_likewise_what_they_define(code: str, said: str) -> None:
    texts = passage_texts(Chunk(ChunkKind.CODE, "x", "", None, code, 1, 2))

    assert texts.for_text == said


def test_prose_is_read_below_its_headings_by_one_encoder() -> None:
    texts = passage_texts(Chunk(ChunkKind.PROSE, "markdown", "A > B", None, "\nHello.\n", 1, 2))

    assert texts.for_text == texts.body == "A > B\nHello."
    assert texts.for_code is None


def test_code_that_says_nothing_of_itself_is_read_by_its_names() -> None:
    texts = passage_texts(Chunk(ChunkKind.CODE, "python", "", None, "HTTPServer(port=8080)", 1, 1))

    assert texts.for_text == "HTTP Server port 8080"


def test_halves_of_surrogate_pairs_are_in_none_of_the_texts() -> None:
    texts = passage_texts(Chunk(ChunkKind.CODE, "python", "\ud800", None, "a = '\udfff'", 1, 1))

    for text in (texts.body, texts.for_text, texts.for_code or ""):
        text.encode()


def test_long_names_are_cut() -> None:
    assert len(in_words("aB" * 2000)) <= 800


def test_odd_code_is_read_in_time_that_grows_with_its_length() -> None:
    for unit in ("def ", "a ", "'" * 3, '"' * 3, "/**", "# ", "\n", "//", "aB", "class a", " \t"):
        passage_texts(Chunk(ChunkKind.CODE, "x", unit * 99, None, unit * 100_000, 1, 1))
