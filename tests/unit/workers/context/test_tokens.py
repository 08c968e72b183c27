"""Tokens by a real tokenizer where there is one, and by script where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.embeddings.minilm.words import load_tokenizer
from shared.errors import SettingsError
from shared.settings.turn.context import TokenizerSettings
from workers.context.tokens.counters import Counters
from workers.context.tokens.script_estimate import ScriptEstimate
from workers.context.tokens.tokenizer_file import TokenizerFile

CODE = '''def total_cost(costs: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None as soon as one part is unknown."""
    total = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total
'''
COUNTED = {
    "english": (
        "hi there, how are you doing today? i was wondering when my order will come. thanks a lot! "
        "could you please check it for me, it has been two weeks now and nobody answers the phone. "
        "my name is peter and i live in berlin. ",
        54,
    ),
    "russian": (
        "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены "
        "разумом и совестью и должны поступать в отношении друг друга в духе братства. Каждый "
        "человек должен обладать всеми правами и всеми свободами, провозглашенными настоящей "
        "Декларацией. Скажите, пожалуйста, когда придёт мой заказ? Я оплатил его вчера.",
        112,
    ),
    "chinese": (
        "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。"
        "人人有资格享有本宣言所载的一切权利和自由，不分种族、肤色、性别、语言、宗教、政治或其他"
        "见解、国籍或社会出身、财产、出生或其他身分等任何区别。请问我的订单什么时候到？"
        "我昨天已经付款了。",
        111,
    ),
    "korean": (
        "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 "
        "이성과 양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다. 제 주문은 언제 "
        "도착하나요? 어제 결제했습니다.",
        83,
    ),
    "code": (CODE, 63),
    "json": (
        '{"id": "resp_1", "state": "completed", "usage": {"input_tokens": 1250, '
        '"output_tokens": 48}, "tags": ["a", "b"]}',
        42,
    ),
}
"""Texts, and the mean of what the tokenizers of three families of models count in them."""


@pytest.fixture(scope="module")
def tokenizer_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer of 30,000 word pieces, as its model is published with it."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    load_tokenizer().save(str(path))
    return path


@pytest.mark.parametrize("kind", sorted(COUNTED))
def test_the_estimate_is_near_what_tokenizers_count(kind: str) -> None:
    text, counted = COUNTED[kind]
    assert ScriptEstimate().count(text) == pytest.approx(counted, rel=0.25)


@given(text=st.text(max_size=200), more=st.text(max_size=50))
def test_an_estimate_grows_with_its_text(text: str, more: str) -> None:
    estimate = ScriptEstimate()
    assert 0 <= estimate.count(text) <= estimate.count(f"{text} {more}")


words = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1)
spaces = st.text(" \n\t", min_size=1, max_size=3)


@given(said=st.lists(words, min_size=1, max_size=8), data=st.data())
def test_it_does_not_matter_which_spaces_stand_between_words(
    said: list[str], data: st.DataObject
) -> None:
    before, after = data.draw(st.tuples(spaces | st.just(""), spaces | st.just("")))
    loose = before + "".join(f"{word}{data.draw(spaces)}" for word in said) + after
    assert ScriptEstimate().count(loose) == ScriptEstimate().count(" ".join(said))


def test_half_of_a_surrogate_pair_is_counted_like_any_text(tokenizer_json: Path) -> None:
    assert ScriptEstimate().count("broken \ud83d") > 0
    assert TokenizerFile(tokenizer_json).count("broken \ud83d") > 0


def test_a_tokenizer_file_counts_the_words_of_its_model(tokenizer_json: Path) -> None:
    counter = TokenizerFile(tokenizer_json)
    assert counter.count("") == 0
    assert counter.count("unbelievable") == 1
    assert counter.count("order a-4711") == 5  # order a - 47 ##11


def test_a_tokenizer_file_counts_beyond_the_length_its_model_was_trained_on(
    tokenizer_json: Path,
) -> None:
    assert TokenizerFile(tokenizer_json).count("word " * 1_000) == 1_000


def test_the_model_names_its_tokenizer_by_pattern(tokenizer_json: Path) -> None:
    counters = Counters([TokenizerSettings(model="mini*", file=str(tokenizer_json))])
    text = "unbelievable"
    assert counters.of("minilm-2").count(text) == TokenizerFile(tokenizer_json).count(text)
    assert counters.of("other").count(text) == ScriptEstimate().count(text)


@pytest.mark.parametrize("content", [None, b"{}", b"\x00\x01"])
def test_a_file_that_is_no_tokenizer_is_refused_by_name(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"context\.tokenizers: '.*tokenizer\.json'"):
        TokenizerFile(path)
