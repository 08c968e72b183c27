"""A claim that contradicts what is known is caught; the same sentence with the truth passes."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages.facts import FACTS_KEY, Facts, facts_of
from shared.secrets_in_text import PlainText
from workers.validation.claims.dates import dates_in
from workers.validation.claims.quantities import quantities_in, readings
from workers.validation.facts import FactCheck
from workers.validation.validator import Draft, Question
from workers.validation.verdict import Catch, Verdict

FACTS: Facts = facts_of(
    {
        FACTS_KEY: json.dumps(
            {
                "balance": {"type": "money", "value": 47.15, "currency": "USD"},
                "limit": {"type": "money", "value": "500"},
                "daily_limit": {"type": "money", "value": 200},
                "orders": {"type": "number", "value": 3},
            }
        ),
        f"{FACTS_KEY}.2": json.dumps(
            {
                "due": {"type": "date", "value": "2026-12-01", "words": ["due", "due date"]},
                "order_status": {"type": "text", "value": "shipped"},
                "debt": {"type": "money", "value": -20},
            }
        ),
    }
)


def check(answer: str, *conversation: str, facts: Facts = FACTS) -> Catch | None:
    question = Question(facts=facts, conversation=conversation)
    return FactCheck(verdict=Verdict.RE_ASK).check(Draft(answer), question)


@pytest.mark.parametrize(
    "answer",
    [
        "Your balance is $127,549.32.",
        "Your balance is $127,549.32, not $47.15.",
        "Your current balance: **$471.5**",
        "Balance:\n$99.00",
        "| Balance | $127.00 |",
        "Your balance is 127549.32.",
        "Your balance is 47,15 €",
        "Your balance is over $127,000.",
        "Your balance is about $60.",
        "With a balance like yours, you could pay $127,549.32 today.",
        "Your balance is $500 and your limit is $500.",
        "Your daily limit is $500.",
        "You have 5 open orders.",
        "Orders: 4",
        "It is due on December 2.",
        "The due date is 02.12.2026",
        "Your order status is delayed.",
    ],
)
def test_a_claim_that_contradicts_is_caught(answer: str) -> None:
    catch = check(answer)
    assert catch is not None
    assert catch.verdict is Verdict.RE_ASK


@pytest.mark.parametrize(
    "answer",
    [
        "Your balance is $47.15.",
        "Your balance is 47.15 USD",
        "Your balance is USD 47.15",
        "Your balance is US$ 47,15.",
        "Your current balance: **$47.15**",
        "Your balances are $47.15",
        "After the fee of $20 your balance is $47.15.",
        "Your balance of $47.15 is below the $100 minimum.",
        "Your balance is below $100.",
        "Your balance is about $48.",
        "Your balance and limit are $47.15 and $500.",
        "Your daily limit is $200, your limit is $500.00.",
        "You have 3 open orders.",
        "You have 3 orders, the last from 2 days ago.",
        "It is due on 2026-12-01.",
        "The due date is 1 December 2026.",
        "It is due on Dec 1.",
        "Your order status is shipped.",
        "Your order status is now Shipped!",
        "The balance was checked on 2026-11-20.",
        "Your balance is 3 days old.",
        "Your debt is $20.",
        "A bike costs $127,549.32.",
        "",
    ],
)
def test_the_truth_passes(answer: str) -> None:
    assert check(answer) is None


def test_an_amount_that_the_user_named_is_no_claim_until_it_is_stated() -> None:
    asked = "Can I buy the $300 bike with my balance?"
    assert check("Your balance does not cover the $300 bike.", asked) is None
    assert check("Yes, your balance is $300.", asked) is not None


def test_evidence_names_the_fact_and_the_complaint_its_value() -> None:
    catch = check("Your balance is $127,549.32.")
    assert catch is not None
    assert catch.evidence == "balance: the answer says $…2 of 11 characters"
    assert "balance = 47.15 USD" in catch.complaint


def test_without_facts_nothing_is_caught() -> None:
    assert check("Your balance is $127,549.32.", facts={}) is None


@pytest.mark.parametrize(
    ("spelled", "values"),
    [
        ("47.15", {"47.15"}),
        ("47,15", {"47.15"}),
        ("1,234.5", {"1234.5"}),
        ("1.234,5", {"1234.5"}),
        ("1’234.50", {"1234.50"}),
        ("1,234", {"1234", "1.234"}),
        ("1,234,567", {"1234567"}),
        ("1,23,456", {"123456"}),
        ("12,34,56,789.50", {"123456789.50"}),
        ("1 234,56", {"1234.56"}),
        ("1 234 567", {"1234567"}),
        ("12,34,56", set()),
        ("1.2.3", set()),
    ],
)
def test_a_number_has_the_readings_that_its_spelling_allows(spelled: str, values: set[str]) -> None:
    assert readings(spelled) == {Decimal(value) for value in values}


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("$47.15", "47.15", "USD"),
        ("47,15 €", "47.15", "EUR"),
        ("USD 47.15", "47.15", "USD"),
        ("-$5", "-5", "USD"),
        ("$-5", "-5", "USD"),
        ("$1.5 million", "1500000", "USD"),
        ("£2k", "2000", "GBP"),
        ("1 234,56 €", "1234.56", "EUR"),
        ("1\u202f234,56\u00a0€", "1234.56", "EUR"),
        ("₹1,23,456", "123456", "INR"),
        ("**₹** 1,23,456.50", "123456.50", "INR"),
        ("\u2212$5", "-5", "USD"),
        ("\uff11\uff12 EUR", "12", "EUR"),
        ("47 dollars", "47", "USD"),
    ],
)
def test_an_amount_is_read_with_its_currency(text: str, value: str, currency: str) -> None:
    (amount,) = quantities_in(PlainText(f"pay {text} now").text)
    assert amount.values == {Decimal(value)}
    assert amount.currencies is not None
    assert currency in amount.currencies


def test_digits_of_a_word_and_joined_numbers_are_no_amounts() -> None:
    assert list(quantities_in("A17 sha256 v2")) == []
    assert [one.values for one in quantities_in("pages 3-5")] == [{Decimal(3)}, {Decimal(5)}]
    (several,) = quantities_in("the top 5 200-page books")
    assert several.values == {Decimal(5), Decimal(200), Decimal(5200)}
    assert len(list(quantities_in("in 2024 100 people of 12 3456"))) == 4


@pytest.mark.parametrize(
    "said",
    ["1\u202f234,56\u202f€", "1 234,56 €", "**1 234,56** €", "€1.234,56", "1\u2009234.56 EUR"],
)
def test_an_amount_in_another_spelling_is_the_fact_and_another_amount_is_not(said: str) -> None:
    facts = facts_of(
        {FACTS_KEY: json.dumps({"sum": {"type": "money", "value": "1234.56", "currency": "EUR"}})}
    )
    assert check(f"The sum is {said}.", facts=facts) is None
    assert check(f"The sum is {said.replace('4', '5', 1)}.", facts=facts) is not None


@given(st.decimals(0, 10**9, places=2), st.sampled_from(["${:,}", "USD {}", "{} USD", "${}"]))
def test_every_true_amount_passes_in_every_spelling(value: Decimal, spelling: str) -> None:
    facts = facts_of({FACTS_KEY: json.dumps({"sum": {"type": "money", "value": str(value)}})})
    assert check(f"The sum is {spelling.format(value)}.", facts=facts) is None
    wrong = spelling.format(value + Decimal("0.01"))
    assert check(f"The sum is {wrong}.", facts=facts) is not None


@given(st.text(max_size=300))
def test_no_text_is_too_odd_to_read(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    list(quantities_in(text))
    list(dates_in(text))
    check(text)
