"""Which words of a passage are marked."""

from __future__ import annotations

import pytest

from shared.retrieval.highlighting import highlights, words_of


@pytest.mark.parametrize(
    ("question", "body", "marked"),
    [
        ("user name", "def getUserName(user_id):", ["User", "Name", "user"]),
        ("getUserName", "call getUserName, then get it", ["getUserName", "get"]),
        ("how is the Lease renewed", "A lease is renewed.", ["lease", "renewed"]),
        ("the", "the end", ["the"]),
        ("größe", "Die GRÖSSE und die Größe", ["GRÖSSE", "Größe"]),
        ("HTTP2 server", "HTTP2Server", ["HTTP", "2", "Server"]),
        ("ﬁle", "a file", ["file"]),
        ("Where does it lie", "Where it does lie: wherever a doe lies", ["lie", "lies"]),
        ("???", "what???", []),
        ("baking leases", "It bakes, it baked; a lease", ["bakes", "baked", "lease"]),
        ("消息", "消息 队列", ["消息"]),
    ],
)
def test_words_and_parts_of_names_are_marked(question: str, body: str, marked: list[str]) -> None:
    spans = highlights(body, words_of(question))

    assert [body[each.start : each.end] for each in spans] == marked
    assert {each.field for each in spans} <= {"body"}


def test_at_most_a_hundred_are_marked() -> None:
    assert len(highlights("word " * 1000, words_of("word"))) == 100
