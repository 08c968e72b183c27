"""Where questions go that people type."""

from __future__ import annotations

import pytest

from shared.retrieval.legs import LegName
from shared.retrieval.routing import WEIGHTS, SearchMode, names_in, route_of

QUESTIONS = [
    ('"connection reset by peer"', SearchMode.KEYWORD),
    ("„Verbindung abgebrochen“ beim Start", SearchMode.KEYWORD),
    ("docs/search-stores.md", SearchMode.KEYWORD),
    ("./tests/conftest.py", SearchMode.KEYWORD),
    ("pyproject.toml", SearchMode.KEYWORD),
    ("ECONNREFUSED", SearchMode.KEYWORD),
    ("ERR_SSL_PROTOCOL_ERROR", SearchMode.KEYWORD),
    ("ORA-00942", SearchMode.KEYWORD),
    ("error E0308 mismatched", SearchMode.KEYWORD),
    ("0xC0000005", SearchMode.KEYWORD),
    ("quorum queues", SearchMode.KEYWORD),
    ("copytree", SearchMode.KEYWORD),
    ("retry backoff jitter", SearchMode.KEYWORD),
    ("invoice 4711", SearchMode.KEYWORD),
    ("how do I renew a lease?", SearchMode.SEMANTIC),
    ("What happens when the broker is down", SearchMode.SEMANTIC),
    ("why are my messages delayed", SearchMode.SEMANTIC),
    ("Wie lösche ich einen Mandanten?", SearchMode.SEMANTIC),
    ("explain the dead letter queue", SearchMode.SEMANTIC),
    ("消息什么时候会重新发送？", SearchMode.SEMANTIC),
    ("for x in range(10):", SearchMode.CODE),
    ("if a != b && c", SearchMode.CODE),
    ("std::vector<int> v;", SearchMode.CODE),
    ("def open_store(", SearchMode.CODE),
    ("x => x.id", SearchMode.CODE),
    ("items[0]", SearchMode.CODE),
    ("```\nawait store.query(scope, query)\n```", SearchMode.CODE),
    ("shutil.copytree symlinks", SearchMode.CODE),
    ("getUserName null", SearchMode.CODE),
    ("where is getUserName called", SearchMode.CODE),
    ("how does `fold` work?", SearchMode.CODE),
    ("what does os.path.join do with absolute paths", SearchMode.CODE),
    ("getUserName", SearchMode.SYMBOL),
    ("get_user_name()", SearchMode.SYMBOL),
    ("HTTPServer", SearchMode.SYMBOL),
    ("VectorStore", SearchMode.SYMBOL),
    ("shutil.copytree", SearchMode.SYMBOL),
    ("Foo::bar", SearchMode.SYMBOL),
    ("__init__", SearchMode.SYMBOL),
    ("_private", SearchMode.SYMBOL),
    ("copytree()", SearchMode.SYMBOL),
    ("copy a directory recursively", SearchMode.MIXED),
    ("list directory contents of the given path", SearchMode.MIXED),
    ("deletes the rows of an expired tenant", SearchMode.MIXED),
    ("index of documents", SearchMode.MIXED),
]


@pytest.mark.parametrize(("text", "mode"), QUESTIONS, ids=lambda value: str(value)[:40])
def test_a_question_goes_where_its_spelling_says(text: str, mode: SearchMode) -> None:
    route = route_of(text)

    assert route.mode is mode, route.rule
    assert route.weights == WEIGHTS[mode]


@pytest.mark.parametrize("mode", [mode for mode in SearchMode if mode is not SearchMode.AUTO])
def test_who_chooses_a_mode_gets_it_whatever_is_asked(mode: SearchMode) -> None:
    assert route_of("how do I renew a lease?", mode).mode is mode


def test_every_way_asks_for_words_so_that_it_answers_without_an_encoder() -> None:
    assert all(LegName.WORDS in weights for weights in WEIGHTS.values())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("where is getUserName called", ("getUserName",)),
        ("shutil.copytree() and `fold`", ("shutil.copytree", "fold")),
        ("copytree", ("copytree",)),
        ("copytree()", ("copytree",)),
        ("copy a tree", ()),
        ("", ()),
        ("v1.5 of the API", ()),
        ("a_b c_d e_f g_h i_j k_l", ("a_b", "c_d", "e_f", "g_h", "i_j")),
    ],
)
def test_names_of_code_are_found_in_what_is_asked(text: str, names: tuple[str, ...]) -> None:
    assert names_in(text) == names


def test_a_long_question_is_routed_in_time_that_grows_with_its_length() -> None:
    for unit in ("a_", "A", "a.", "Aa", "/a", "(", "`", '"', "x ", "_", "E", "a=", "::"):
        route_of(unit * 1000)
        names_in(unit * 1000)
