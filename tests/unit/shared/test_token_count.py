"""Tokens by script, where no tokenizer was asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.storable_text import text_size
from shared.token_count import estimated_tokens, tokens_of_size

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


@pytest.mark.parametrize("kind", sorted(COUNTED))
def test_the_estimate_is_near_what_tokenizers_count(kind: str) -> None:
    text, counted = COUNTED[kind]
    assert estimated_tokens(text) == pytest.approx(counted, rel=0.25)


@given(text=st.text(max_size=200), more=st.text(max_size=50))
def test_an_estimate_grows_with_its_text(text: str, more: str) -> None:
    assert 0 <= estimated_tokens(text) <= estimated_tokens(f"{text} {more}")


words = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1)
spaces = st.text(" \n\t", min_size=1, max_size=3)


@given(said=st.lists(words, min_size=1, max_size=8), data=st.data())
def test_it_does_not_matter_which_spaces_stand_between_words(
    said: list[str], data: st.DataObject
) -> None:
    before, after = data.draw(st.tuples(spaces | st.just(""), spaces | st.just("")))
    loose = before + "".join(f"{word}{data.draw(spaces)}" for word in said) + after
    assert estimated_tokens(loose) == estimated_tokens(" ".join(said))


def test_half_of_a_surrogate_pair_is_counted_like_any_text() -> None:
    assert estimated_tokens("broken \ud83d") > 0


@pytest.mark.parametrize("kinds", [["english"], ["json", "chinese"], sorted(COUNTED)])
def test_a_long_text_is_estimated_by_samples_of_all_of_it(kinds: list[str]) -> None:
    parts = ["\n".join([COUNTED[kind][0]] * 400) for kind in kinds]
    whole = sum(400 * estimated_tokens(COUNTED[kind][0]) for kind in kinds)
    assert sum(map(len, parts)) > 65_536
    assert estimated_tokens("\n".join(parts)) == pytest.approx(whole, rel=0.05)


def test_what_is_known_by_its_size_alone_is_rounded_up() -> None:
    assert [tokens_of_size(size) for size in (0, 1, 4, 5)] == [0, 1, 1, 2]
    assert [text_size(text) for text in ("", "abc", "é", "你好", "\ud83d")] == [0, 3, 2, 6, 3]
