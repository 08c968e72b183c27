"""The search that ours is held against: its documents, its words, its scores."""

from __future__ import annotations

import pytest

from indexer.evaluation.judged_set import JudgedSet, cut_code, with_parts_apart
from indexer.evaluation.reference.bm25 import Bm25
from indexer.evaluation.reference.english_stems import stem
from indexer.evaluation.reference.function_documents import functions_of
from indexer.evaluation.reference.reference_words import stems_of
from indexer.evaluation.sets.python_library import docstrings

SOURCE = """\
class Shelf:
    books = []

    @staticmethod
    def takeBook(name: str, *, at: int = 0) -> bool:
        def inner():
            pass
        return inner()

def close(): return 1
"""


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [
        ("caresses", "caress"), ("flies", "fli"), ("dies", "die"), ("gas", "gas"),
        ("hopping", "hop"), ("hoping", "hope"), ("agreed", "agre"), ("feed", "feed"),
        ("happy", "happi"), ("by", "by"), ("generalization", "general"), ("rational", "ration"),
        ("sensational", "sensat"), ("adoption", "adopt"), ("controlling", "control"),
        ("skies", "sky"), ("dying", "die"), ("succeed", "succeed"), ("kindness", "kind"),
        ("iteratively", "iter"), ("youth", "youth"), ("joyful", "joy"), ("relate", "relat"),
    ],
)  # fmt: skip
def test_words_lose_their_endings_as_snowball_takes_them_off(word: str, stemmed: str) -> None:
    """Of all words in Python's library sixteen are others in snowballstemmer 3.1.1: tried once."""
    assert stem(word) == stemmed


def test_names_are_split_and_words_of_sentences_are_not_counted() -> None:
    assert stems_of("The HTTPServer is opening user_names") == [
        "http", "server", "open", "user", "name",
    ]  # fmt: skip


def test_every_function_is_a_document_with_its_path_its_name_and_its_signature() -> None:
    one, inner, last = functions_of("lib/shelves.py", SOURCE)

    assert one.header == ("lib shelves Shelf take Book take Book name str at int 0 bool")
    assert one.line == 5
    assert one.code.startswith("    @staticmethod\n")
    assert one.code.endswith("return inner()\n")
    assert inner.header == "lib shelves Shelf take Book inner inner"
    assert last.code == "def close(): return 1\n"


def test_bm25_likes_rare_words_and_short_documents() -> None:
    bm25 = Bm25([["a", "b"], ["a", "b", "c", "c", "d", "e"], ["a"]])

    scores = bm25.scores(["b", "unknown"])

    assert scores[0] > scores[1] > scores[2] == 0
    assert bm25.scores(["c"])[1] > bm25.scores(["a"])[1]
    # 1 document of 3 of length 1, mean length 3: idf ln(1 + 0.5 / 3.5), tf 2.2 / (1 + 0.6).
    assert bm25.scores(["a"])[2] == pytest.approx(0.13353 * 2.2 / 1.6, rel=1e-3)


def test_a_part_of_a_class_is_no_answer_to_a_question_for_another_part() -> None:
    line = "        self.value = call('some words here', 'and more')\n"
    method = "    def m{0}(self):\n" + 9 * line
    text = "class Large:\n" + "".join(method.format(each) for each in range(4))
    text += "    small = 1\n" * 30

    cut = cut_code("a.py", text)
    apart = with_parts_apart(cut)

    of_class = [each.target for each in apart.passages if each.chunk.symbol == "Large"]
    assert len({*of_class}) == len(of_class) > 0
    methods = [each.target for each in apart.passages if "m2" in (each.chunk.symbol or "")]
    assert {*methods} == {"a.py:Large.m2"}


def test_the_reference_has_each_function_once_under_the_target_it_is_asked_for_by() -> None:
    judged = docstrings(12)

    assert isinstance(judged, JudgedSet)
    by_name = {each.name: each for each in judged.reference}
    assert len(by_name) == len(judged.reference)
    for question in judged.questions:
        assert [*question.grades] == [by_name[question.document].target]
    assert {each.target for each in judged.reference} <= {each.target for each in judged.passages}
    codes = [" ".join((each.for_code or "").split()) for each in judged.reference]
    assert len({*codes}) == len(codes)
    for question in judged.questions:
        assert question.text not in "".join(each.words for each in judged.reference)
