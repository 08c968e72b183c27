"""Which questions the guard tells apart, and which it leaves together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.caching.semantic.guard.guard import refusal
from workers.caching.semantic.guard.guard_rule import GuardRule
from workers.caching.semantic.guard.question import GuardedQuestion
from workers.caching.semantic.guard.vocabulary.word_set import word_set

TOKENS = sorted(
    word_set(
        "how many n't 's to from not 5 $5 2FA turn off U.S. USD than a.b@c.de 'x' can't I without "
        "first ° e-mail"
    )
)
TEXTS = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(TOKENS),
    ),
    max_size=8,
).map(" ".join)
SAME = [
    ("enable 2FA", "turn on 2FA"),
    ("How do I enable 2FA?", "How can I turn on two-factor authentication?"),
    ("How do I turn off notifications?", "How can I switch the notifications off?"),
    ("Why can't I log in?", "Why am I unable to log in?"),
    ("Convert 5 USD to EUR", "Convert 5 USD into euros, please"),
    ("convert from USD to EUR", "convert to EUR from USD"),
    ("refund after 30 days", "refund after thirty days"),
    ("Is 1,000 enough?", "Is 1000 enough?"),
    ("Where is my parcel?", "I want to know where my package is"),
    ("What is the weather in Paris?", "what's the weather like in paris"),
    ("How far is 5 km?", "How far is 5 kilometres?"),
    ("What does error E-1042 mean?", "What is the meaning of error e-1042?"),
    ("Difference between Rust and Go?", "What is the difference between Go and Rust?"),
    ("Can you help me to reset my password?", "How do I reset my password?"),
    ("", ""),
]
DIFFERENT = {
    GuardRule.NUMBERS: [
        ("refund after 30 days", "refund after 60 days"),
        ("refund after 30 days", "refund after 30 weeks"),
        ("Is $5 enough?", "Is €5 enough?"),
        ("a table for two people", "a table for four people"),
        ("What is 10% of 50?", "What is 15% of 50?"),
        ("open at 9:30", "open at 19:30"),
        ("my order of 3 items", "my order"),
    ],
    GuardRule.ENTITIES: [
        ("What is the capital of france?", "what is the capital of germany"),
        ("What is the weather in Paris?", "What is the weather in London?"),
        ("How do I call Alice?", "How do I call Bob?"),
        ("What does error E-1042 mean?", "What does error E-1043 mean?"),
        ("Who is the owner of a@b.com?", "Who is the owner of c@b.com?"),
        ("what does 'sudo reboot' do", "what does 'sudo halt' do"),
        ("How do I use os.path?", "How do I use os.environ?"),
        ("meeting on monday", "meeting on tuesday"),
        ("change my email", "change my password"),
        ("What is the weather?", "What is the weather in Paris?"),
    ],
    GuardRule.NEGATION: [
        ("Why can I log in?", "Why can I not log in?"),
        ("Which plans include support?", "Which plans don't include support?"),
        ("tea but not milk", "milk but not tea"),
        ("Does it work without wifi?", "Does it work on wifi?"),
    ],
    GuardRule.POLARITY: [
        ("enable 2FA", "disable 2FA"),
        ("How do I turn on dark mode?", "How do I turn dark mode off?"),
        ("add a user", "remove a user"),
        ("increase the limit", "decrease the limit"),
        ("When does the shop open?", "When does the shop close?"),
        ("before the meeting", "after the meeting"),
        ("buy shares", "sell shares"),
        ("How do I log in?", "How do I log out?"),
        ("a supported file", "an unsupported file"),
        ("Is stopping the service safe?", "Is starting the service safe?"),
    ],
    GuardRule.QUESTION_TYPE: [
        ("When was it built?", "Who built it?"),
        ("Where is the library?", "When is the library there?"),
        ("How many users are there?", "Why are users there?"),
        ("How do I pay?", "Why do I pay?"),
        ("Can I cancel my order?", "How do I cancel my order?"),
    ],
    GuardRule.ORDER: [
        ("convert USD to EUR", "convert EUR to USD"),
        ("flights from Rome to Oslo", "flights from Oslo to Rome"),
        ("Do you ship to Canada?", "Do you ship from Canada?"),
        ("Is Python faster than Java?", "Is Java faster than Python?"),
        ("replace tabs with spaces", "replace spaces with tabs"),
        ("Did France beat Germany?", "Did Germany beat France?"),
        ("divide 10 by 5", "divide 5 by 10"),
        ("How many grams are in an ounce?", "How many ounces are in a gram?"),
    ],
    GuardRule.WORDING: [
        ("How do I store fresh basil?", "How do I store dried basil?"),
        ("How do I store basil?", "How do I grow basil?"),
        ("How do I request leave?", "How do I cancel my request for leave?"),
        ("How many users has an account?", "How many accounts has a user?"),
        ("Who is my manager?", "Who is my manager's manager?"),
        ("Can I pause it for a week?", "Can I pause it for a month?"),
    ],
}


@pytest.mark.parametrize(("asked", "stored"), SAME)
def test_the_same_question_in_other_words_passes(asked: str, stored: str) -> None:
    assert refusal(GuardedQuestion(asked), GuardedQuestion(stored)) is None
    assert refusal(GuardedQuestion(stored), GuardedQuestion(asked)) is None


@pytest.mark.parametrize(
    ("rule", "asked", "stored"),
    [(rule, *pair) for rule, pairs in DIFFERENT.items() for pair in pairs],
)
def test_another_question_in_nearly_the_same_words_is_refused(
    rule: GuardRule, asked: str, stored: str
) -> None:
    assert refusal(GuardedQuestion(asked), GuardedQuestion(stored)) is rule
    assert refusal(GuardedQuestion(stored), GuardedQuestion(asked)) is rule


def test_every_rule_has_its_pairs() -> None:
    assert set(DIFFERENT) == set(GuardRule)


@settings(max_examples=300, deadline=None)
@given(first=TEXTS, second=TEXTS)
def test_no_pair_of_texts_breaks_it_and_the_order_of_the_two_does_not_matter(
    first: str, second: str
) -> None:
    one, other = GuardedQuestion(first), GuardedQuestion(second)
    assert (refusal(one, other) is None) == (refusal(other, one) is None)


@pytest.mark.parametrize(
    "text", ["", "n't 's", "   ", "?!…", "\x00\ud800", "$", "'" * 500, "1" * 900, "\n"]
)
def test_any_text_can_be_read(text: str) -> None:
    assert refusal(GuardedQuestion(text), GuardedQuestion(text)) is None
    refusal(GuardedQuestion(text), GuardedQuestion("enable 2FA"))
