"""What must not leave is found wherever it stands, and what only looks like it is left alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.secrets_in_text import card_spans, passes_luhn
from shared.settings.validation import BuiltIn
from workers.validation.forbidden_patterns import ForbiddenPatterns, built_in, users_own
from workers.validation.validator import Draft, Question
from workers.validation.verdict import Verdict

EVERY = ForbiddenPatterns(map(built_in, BuiltIn), verdict=Verdict.FIX)
GITHUB = "ghp_" + "a1B2c3D4" * 5


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in EVERY.spans(text)]


@pytest.mark.parametrize(
    "secret",
    [
        "123-45-6789",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111111111111111",
        "378282246310005",
        "sk-proj-abcdefghij0123456789",
        GITHUB,
        "AKIA" + "IOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\nAAA\n-----END RSA PRIVATE KEY-----",
        "jane.doe+x@mail.example.co.uk",
    ],
)
@pytest.mark.parametrize("around", ["{}", "It is {}.", "(id={})", "“{}”", "字{}字", "no:{}\n"])
def test_a_forbidden_span_is_found_whole(secret: str, around: str) -> None:
    assert found(around.format(secret)) == [secret]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "Order 1795303692330214 of 2026-11-21",
        "0.4111111111111111",
        "Call 555-123-4567 or 123-456-7890",
        "sk-learn-is-a-well-known-library",
        "Read the risk-assessment-of-last-year",
        "550e8400-e29b-41d4-a716-446655440000",
        "It costs $4,111.11 and 3 x 1,111.",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "secret",
    [
        "4111\u202f1111\u202f1111\u202f1111",
        "4111\u20131111\u20131111\u20131111",
        "4111** **1111** **1111** **1111",
        "4111` `1111` `1111` `1111",
        "4111\u200b1111\u200b1111\u200b1111",
        "4111\\-1111\\-1111\\-1111",
        "\uff14\uff11\uff11\uff11 1111 1111 1111",
        "123\u201145\u20116789",
        "jos\u00e9@example.com",
        "jose\u0301@example.com",
        "jane\u200b@example.com",
        "sk-abcdefghij\u200b0123456789",
    ],
)
@pytest.mark.parametrize("around", ["{}", "It is **{}**.", "`{}`", "字{}\n"])
def test_another_spelling_is_found_where_it_stands(secret: str, around: str) -> None:
    assert found(around.format(secret)) == [secret]


def test_a_card_that_ends_in_bold_is_found() -> None:
    assert found("It is 411111111111**1111**.") == ["411111111111**1111"]


@pytest.mark.parametrize("text", ["2**3 = 8", "3 * 4", r"C:\new_folder", "a_b * c_d", "**bold**"])
def test_marks_alone_are_nothing(text: str) -> None:
    assert found(text) == []


def test_a_users_own_pattern_reads_what_was_written_and_what_is_meant() -> None:
    mine = ForbiddenPatterns(
        users_own({"staff": r"E-\d{5}", "star": r"\*x\*"}), verdict=Verdict.FIX
    )
    text = "ask E\u2013123**45** or *x*"
    spans = [text[span.start : span.end] for span in mine.spans(text)]
    assert spans == ["E\u2013123**45", "*x*"]


def test_a_card_among_other_numbers_is_found() -> None:
    text = "order 1234 4111 1111 1111 1111 5678 shipped"
    assert found(text) == ["4111 1111 1111 1111"]


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_card_spans_are_in_order_and_pass_the_check(text: str) -> None:
    end = 0
    for start, stop in card_spans(text):
        assert end <= start < stop
        assert passes_luhn("".join(filter(str.isdigit, text[start:stop])))
        end = stop


def test_evidence_never_quotes_what_was_caught() -> None:
    text = f"Your card 4111 1111 1111 1111, your key {GITHUB}"
    catch = EVERY.check(Draft(text), Question())
    assert catch is not None
    assert "4…1 of 19 characters" in catch.evidence
    for piece in ("1111", GITHUB[4:], "4111"):
        assert piece not in catch.evidence + catch.complaint


def test_a_pattern_that_explodes_elsewhere_takes_linear_time() -> None:
    mine = ForbiddenPatterns(users_own({"evil": "^(a+)+$"}), verdict=Verdict.FIX)

    def seconds(length: int) -> float:
        started = time.perf_counter()
        assert mine.spans("a" * length + "!") == []
        return time.perf_counter() - started

    assert seconds(20_000) < 30, "30 characters would take minutes with backtracking"


def test_spans_that_overlap_are_taken_out_once() -> None:
    mine = ForbiddenPatterns(users_own({"a": "one two", "b": "two three"}), verdict=Verdict.FIX)
    (span,) = mine.spans("say one two three now")
    assert (span.start, span.end) == (4, 17)
