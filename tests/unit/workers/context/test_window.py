"""What a model is given fits its budget, and nothing that matters is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.item import Item, MessageItem, Role
from shared.token_count import estimated_tokens
from workers.context.importance import Importance
from workers.context.tokens import RememberedCounts
from workers.context.window import RECENT_ITEMS, Digest, Fitter, MessageTooLong

FITTER = Fitter(RememberedCounts(estimated_tokens), Importance())

items = st.builds(MessageItem, st.sampled_from(Role), st.text(max_size=60))
conversations = st.lists(items, min_size=1, max_size=20)
budgets = st.integers(1, 400)


@st.composite
def digests(draw: st.DrawFn, talk: int) -> Digest | None:
    if talk <= RECENT_ITEMS or draw(st.booleans()):
        return None
    text = draw(st.text(max_size=40))
    return Digest(MessageItem(Role.USER, text), draw(st.integers(1, talk - RECENT_ITEMS)))


def tokens(*chosen: Item) -> int:
    return sum(map(FITTER.tokens, chosen))


def talk_of(conversation: list[Item]) -> list[Item]:
    return [item for item in conversation if not item.role.instructs]


@given(conversation=conversations, budget=budgets, data=st.data())
def test_a_window_keeps_its_budget_its_order_and_what_matters(
    conversation: list[Item], budget: int, data: st.DataObject
) -> None:
    talk = talk_of(conversation)
    whole = [item for item in conversation if item.role.instructs]
    digest = data.draw(digests(len(talk)))
    if tokens(*whole, *talk[-1:]) > budget:
        with pytest.raises(MessageTooLong, match=str(budget)):
            FITTER.fit(conversation, token_budget=budget, digest=digest)
        return
    window = FITTER.fit(conversation, token_budget=budget, digest=digest)
    given_whole = [item for item in window.items if digest is None or item is not digest.item]
    assert tokens(*window.items) == window.tokens <= budget
    assert is_subsequence(given_whole, conversation)
    assert [item for item in given_whole if item.role.instructs] == whole
    assert not talk or any(item is talk[-1] for item in given_whole)
    assert len(given_whole) == window.kept
    assert window.kept + window.summarised + window.dropped == len(conversation)
    assert window == FITTER.fit(conversation, token_budget=budget, digest=digest)


@given(conversation=conversations, spare=st.integers(0, 50))
def test_a_budget_for_everything_gives_everything(conversation: list[Item], spare: int) -> None:
    window = FITTER.fit(conversation, token_budget=tokens(*conversation) + spare)
    assert window.items == conversation
    assert window.dropped == 0


@given(conversation=conversations, budget=budgets, more=st.integers(0, 100))
def test_more_budget_never_loses_one_of_the_last_five(
    conversation: list[Item], budget: int, more: int
) -> None:
    recent = talk_of(conversation)[-RECENT_ITEMS:]
    try:
        small = FITTER.fit(conversation, token_budget=budget)
    except MessageTooLong:
        return
    large = FITTER.fit(conversation, token_budget=budget + more)
    kept = {id(item) for item in large.items}
    assert all(id(item) in kept for item in small.items if any(item is one for one in recent))


def test_the_oldest_of_the_last_five_go_first_when_they_do_not_fit() -> None:
    talk = [MessageItem(Role.USER, f"number {number} of the conversation") for number in range(9)]
    window = FITTER.fit(talk, token_budget=tokens(*talk[-3:]))
    assert window.items == talk[-3:]
    assert window.dropped == 6


def test_of_the_older_items_the_important_ones_stay() -> None:
    dull = [MessageItem(Role.USER, f"{word} it is nice to talk") for word in ("well", "oh", "yes")]
    order = MessageItem(Role.USER, "My order is A-4711, please remember it. When will it come?")
    date = MessageItem(Role.ASSISTANT, "Order A-4711 is due on 2026-12-01.")
    recent = [MessageItem(Role.USER, "so let us go on with that now") for _ in range(RECENT_ITEMS)]
    budget = tokens(order, date, *recent)
    window = FITTER.fit([dull[0], order, date, *dull[1:], *recent], token_budget=budget)
    assert window.items == [order, date, *recent]


def test_a_summary_stands_before_the_talk_and_for_what_it_covers() -> None:
    system = MessageItem(Role.SYSTEM, "Be brief.")
    talk = [MessageItem(Role.USER, f"number {number} of the conversation") for number in range(12)]
    digest = Digest(MessageItem(Role.USER, "Six numbers were named."), covered=6)
    budget = tokens(system, digest.item, *talk[6:])
    window = FITTER.fit([system, *talk], token_budget=budget, digest=digest)
    assert window.items == [system, digest.item, *talk[6:]]
    assert (window.kept, window.summarised, window.dropped) == (7, 6, 0)


def test_a_summary_is_not_given_where_everything_fits() -> None:
    talk = [MessageItem(Role.USER, f"number {number}") for number in range(12)]
    digest = Digest(MessageItem(Role.USER, "Numbers."), covered=6)
    assert FITTER.fit(talk, token_budget=tokens(*talk), digest=digest).items == talk


def test_a_conversation_is_crowded_before_anything_must_go() -> None:
    talk = [MessageItem(Role.USER, f"number {number} of the conversation") for number in range(12)]
    assert FITTER.fit(talk, token_budget=tokens(*talk)).is_crowded
    assert not FITTER.fit(talk, token_budget=2 * tokens(*talk)).is_crowded
    digest = Digest(MessageItem(Role.USER, "Seven numbers."), covered=7)
    assert not FITTER.fit(talk, token_budget=tokens(*talk), digest=digest).is_crowded


def test_what_is_too_long_says_by_how_much_and_what_to_do() -> None:
    with pytest.raises(MessageTooLong) as refused:
        FITTER.fit([MessageItem(Role.USER, "x" * 400)], token_budget=50)
    assert "87 tokens" in str(refused.value)
    assert "context.token_budget" in str(refused.value)


def is_subsequence(part: list[Item], whole: list[Item]) -> bool:
    rest = iter(whole)
    return all(any(item is other for other in rest) for item in part)
