"""How names are split for the search by words, and how a question is cut to what is read."""

from __future__ import annotations

import time

import pytest

from shared.search.keyword.words import asked_words, identifiers_of, parts_of


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("getUserName", "get User Name"),
        ("get_user_name", "get user name"),
        ("HTTPServer2", "HTTP Server 2"),
        ("XMLHttpRequest", "XML Http Request"),
        ("__init__", "init"),
        ("MAX_SIZE", "MAX SIZE"),
        ("utf8", "utf 8"),
        ("naïve_größe", "naïve größe"),
        ("日本語", "日本語"),
        ("_", ""),
    ],
)
def test_a_name_is_split_as_people_read_it(name: str, parts: str) -> None:
    assert parts_of(name) == parts.split()


def test_only_names_of_several_parts_are_split_and_each_part_is_there_once() -> None:
    texts = ("getUserName", "", "def get_user_name(User): return user_id or Größe")
    assert identifiers_of(texts) == "get user name id"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How does the parcel open?", "parcel open"),
        ("to be or not to be", "to be or not"),
        ("Parcel parcel PARCEL", "PARCEL"),
        ('"exact phrase" -without', "exact phrase without"),
        ("C++ and C#", "C"),
        ("-- ! _ \u0640 💥", ""),
        ("日本語 の テキスト", "日本語 の テキスト"),
    ],
)
def test_a_question_is_its_telling_words(text: str, words: str) -> None:
    assert " ".join(asked_words(text)) == words


def test_of_more_than_ten_words_the_longest_are_asked_in_their_order() -> None:
    text = "zebra a1 elephant kangaroo ox bee giraffe hippopotamus lion tiger cat leopard wolf bear"
    asked = "zebra elephant kangaroo giraffe hippopotamus lion tiger leopard wolf bear"
    assert " ".join(asked_words(text)) == asked


def test_a_name_counts_as_its_parts_and_one_is_asked_however_long() -> None:
    assert asked_words("getUserNameOfTheAccount openTheParcelOfMine find") == (
        "getUserNameOfTheAccount",
        "find",
    )
    longest = "_".join("abcdefghijklm")
    assert asked_words(f"{longest} cat") == (longest,)


def test_long_texts_take_no_time() -> None:
    began = time.process_time()
    for text in ("aB" * 50_000, "A" * 100_000, "_" * 100_000, "aA1_" * 25_000, "é" * 100_000):
        identifiers_of([text])
        asked_words(text)
    assert time.process_time() - began < 2
