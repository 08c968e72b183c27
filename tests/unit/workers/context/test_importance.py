"""What the rest of a conversation would miss scores higher than what it would not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.messages.item import MessageItem, Role
from workers.context.importance import Importance


def scores(*texts: str, roles: tuple[Role, ...] = ()) -> list[float]:
    roles = roles or (Role.USER,) * len(texts)
    talk = [MessageItem(role, text) for role, text in zip(roles, texts, strict=True)]
    return Importance().scores(talk, list(texts))


@given(texts=st.lists(st.text(max_size=200), min_size=1, max_size=8))
def test_a_score_is_between_0_and_1(texts: list[str]) -> None:
    assert all(0.0 <= score <= 1.0 for score in scores(*texts))


def test_the_newer_of_two_equal_items_scores_higher() -> None:
    older, newer = scores("thank you very much", "thank you very much")
    assert older < newer


def test_figures_names_decisions_and_code_outweigh_courtesies() -> None:
    courtesy = "thanks a lot, that is very kind of you"
    for substance in (
        "the invoice is over 1,250.00 euros",
        "please ask for Miriam Okafor at the desk",
        "we decided to cancel the second one",
        "```\nreturn total / count\n```",
    ):
        first, _ = scores(substance, courtesy)
        assert first > scores(courtesy, courtesy)[0], substance


def test_a_decision_is_one_in_capitals_and_before_a_mark_too() -> None:
    dull, *decisions = scores("it is so", "it is agreed", "It is Agreed.", "it is (agreed)!")
    assert all(decision > dull + 0.1 for decision in decisions)


def test_half_of_a_surrogate_pair_is_weighed_like_any_text() -> None:
    broken, whole = scores("we agreed \ud83d on it", "we agreed on it")
    assert broken < whole  # it is older, that is all


def test_what_later_items_name_again_scores_higher() -> None:
    named, _, _ = scores("my order is A-4711", "well then", "where is A-4711 now")
    forgotten, _, _ = scores("my order is A-4711", "well then", "where is it now")
    assert named > forgotten


def test_a_question_answered_with_figures_is_kept_with_its_answer() -> None:
    roles = (Role.USER, Role.ASSISTANT)
    with_figures = scores("how much is it?", "it costs 47.15", roles=roles)
    without = scores("how much is it?", "it costs little", roles=roles)
    assert with_figures[0] > without[0]
    assert with_figures[1] > without[1]
