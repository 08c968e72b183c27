"""What a chunk is found by."""

from __future__ import annotations

from indexer.splitting.chunk import Chunk, ChunkKind
from indexer.splitting.passage_texts import in_words, passage_texts


def test_of_code_the_text_encoder_reads_the_header_and_the_remarks_in_words() -> None:
    text = 'def getUser_name(self):\n    """The name."""\n    # cached\n    return self._n\n'
    chunk = Chunk(
        ChunkKind.CODE, "python", "Users.getUser_name: def getUser_name(self)", "x", text, 1, 4
    )

    texts = passage_texts(chunk)

    assert texts.for_text == "Users get User name def get User name self The name. cached"
    assert texts.for_code == text.rstrip("\n")
    assert texts.body == f"{chunk.header}\n{texts.for_code}"


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
    assert len(in_words("aB" * 2000)) <= 600
