"""What a model is given fits its budget, and nothing that matters is left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.input_item import InputItem, Role
from workers.context.window import MessageTooLong, fit, token_count

items = st.builds(InputItem, st.sampled_from(Role), st.text(max_size=60))
conversations = st.lists(items, max_size=15)
messages = st.lists(items, min_size=1, max_size=3)
KEPT_WHOLE = {Role.SYSTEM, Role.DEVELOPER}


@given(earlier=conversations, message=messages, budget=st.integers(1, 300))
def test_a_window_keeps_its_budget_its_order_and_what_matters(
    earlier: list[InputItem], message: list[InputItem], budget: int
) -> None:
    must = [item for item in earlier if item.role in KEPT_WHOLE]
    if sum(map(token_count, [*must, *message])) > budget:
        with pytest.raises(MessageTooLong, match=str(budget)):
            fit(earlier, message, token_budget=budget)
        return
    window = fit(earlier, message, token_budget=budget)
    assert sum(map(token_count, window.items)) <= budget
    assert window.items[-len(message) :] == message
    recalled = window.items[: -len(message)]
    assert window.forgotten == len(earlier) - len(recalled)
    assert _is_subsequence(recalled, earlier)
    assert [item for item in recalled if item.role in KEPT_WHOLE] == must


@given(earlier=conversations, message=messages)
def test_a_budget_for_everything_forgets_nothing(
    earlier: list[InputItem], message: list[InputItem]
) -> None:
    budget = sum(map(token_count, [*earlier, *message]))
    assert fit(earlier, message, token_budget=budget).items == [*earlier, *message]


def test_the_newest_are_remembered_and_the_oldest_forgotten() -> None:
    earlier = [InputItem(Role.USER, f"number {number}") for number in range(5)]
    message = [InputItem(Role.USER, "and now")]
    budget = token_count(message[0]) + 2 * token_count(earlier[0])
    window = fit(earlier, message, token_budget=budget)
    assert [item.text for item in window.items] == ["number 3", "number 4", "and now"]
    assert window.forgotten == 3


def test_no_hole_is_left_in_the_middle_of_a_conversation() -> None:
    earlier = [
        InputItem(Role.USER, "short"),
        InputItem(Role.ASSISTANT, "long " * 50),
        InputItem(Role.USER, "short"),
    ]
    window = fit(earlier, [InputItem(Role.USER, "now")], token_budget=20)
    assert [item.text for item in window.items] == ["short", "now"]


def test_what_is_too_long_says_by_how_much_and_what_to_do() -> None:
    with pytest.raises(MessageTooLong) as refused:
        fit([], [InputItem(Role.USER, "x" * 400)], token_budget=50)
    assert "104 tokens" in str(refused.value)
    assert "context.token_budget" in str(refused.value)


def _is_subsequence(part: list[InputItem], whole: list[InputItem]) -> bool:
    rest = iter(whole)
    return all(any(item is other for other in rest) for item in part)
