from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry.redaction import LONGEST_TEXT, MASK, redact_fields, redact_text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key fb_live_9aB3xY7q was used", "9aB3xY7q"),
        ("key=fb_9aB3xY7q", "9aB3xY7q"),
        ("OPENAI_API_KEY='sk-proj-Abc123-def456_x'", "Abc123"),
        ("sk-ant-api03-AAAA1111 refused", "AAAA1111"),
        ("Authorization: Bearer abc.DEF-123/4=", "abc.DEF"),
        ("authorization: bearer\tabcdef", "abcdef"),
        ("amqp://forebay:hunter2@rabbit:5672/vhost", "hunter2"),
        ("redis://:hunter2@redis:6379/0", "hunter2"),
        ("postgresql+psycopg://u:p@ss:w@db/forebay", "ss:w"),
        ("GET /v1/models?api_key=hunter2&x=1", "hunter2"),
        ("GET /x?a=1&access_token=hunter2", "hunter2"),
        ("write to jane.doe+x@mail.example.co.uk today", "jane"),
        ("<jörg@example.com>", "rg@"),
        ("SSN 078-05-1120.", "1120"),
        ("ssn:078 05 1120", "1120"),
        ("card 4111111111111111", "4111"),
        ("card 4111 1111 1111 1111", "4111"),
        ("card 4111-1111-1111-1112 mistyped", "4111"),
        ("card_4111111111111111", "4111"),
        ("4111 1111 1111 1111 12/29", "4111"),
        ("amex 3782 822463 10005", "822463"),
        ("[SQL: INSERT …]\n[parameters: {'body': 'my ]\ndiary'}]\n(Background on this", "diary"),
        ("[parameters: ('my diary',", "diary"),
    ],
)
def test_a_secret_in_a_text_is_masked(text: str, secret: str) -> None:
    assert secret in text
    redacted = redact_text(text)
    assert secret not in redacted
    assert MASK in redacted


@pytest.mark.parametrize(
    "text",
    [
        "resp_0190f3a2b4c67d8e9f0a1b2c3d4e5f60",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "task_name risk-score disk_usage",
        "2026-03-14T15:09:26.535897+00:00",
        "http://127.0.0.1:4318/v1/traces",
        "amqp://rabbit:5672/",
        "1789000000000000",
        "0.4111111111111111",
        "took 12.5 s, 3 of 10 at 10:30",
        "10.0.0.1:5432",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_text(text) == text


def test_only_the_password_of_a_url_is_masked() -> None:
    masked = redact_text("amqp://forebay:hunter2@rabbit:5672/vhost")
    assert masked == f"amqp://forebay:{MASK}@rabbit:5672/vhost"


@pytest.mark.parametrize("name", ["prompt", "input", "content", "body", "output", "Prompt"])
def test_what_people_wrote_is_dropped_at_any_depth(name: str) -> None:
    fields = {name: "diary", "kept": {name: "diary", "list": [{name: "diary", "n": 1}]}}
    assert redact_fields(fields) == {"kept": {"list": [{"n": 1}]}}


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "api_key",
        "x-api-key",
        "broker.password",
        "client_secret",
        "token",
        "Cookie",
    ],
)
def test_a_secret_is_masked_by_its_name(name: str) -> None:
    assert redact_fields({name: "anything"}) == {name: MASK}


@pytest.mark.parametrize("name", ["tokens", "input_tokens", "gen_ai.usage.input_tokens", "key_id"])
def test_counts_and_ids_are_no_secrets(name: str) -> None:
    assert redact_fields({name: 12}) == {name: 12}


def test_values_become_plain() -> None:
    class Card:
        def __str__(self) -> str:
            return "4111111111111111"

    error = ValueError("for jane@example.com")
    plain = redact_fields(
        {"a": Card(), "b": b"raw", "c": error, "d": Decimal("1.5"), "e": (1, None), "f": True}
    )
    assert plain == {
        "a": MASK,
        "b": "[3 bytes]",
        "c": f"ValueError: for {MASK}",
        "d": "1.5",
        "e": [1, None],
        "f": True,
    }
    assert redact_fields({"number": 4111111111111111}) == {"number": MASK}
    assert redact_fields({"jane@example.com": 1}) == {MASK: 1}


def test_a_circle_ends() -> None:
    circle: dict[str, object] = {}
    circle["circle"] = circle
    assert "too deep" in str(redact_fields(circle))


def test_a_long_text_keeps_both_ends_and_no_half_of_a_secret() -> None:
    text = "begin " + "x" * (LONGEST_TEXT // 2 - 12) + " sk-abcdefghijklmnop " + "y" * 9000 + " end"
    redacted = redact_text(text)
    assert len(redacted) <= LONGEST_TEXT + 3
    assert redacted.startswith("begin")
    assert redacted.endswith("end")
    assert "sk-a" not in redacted


@pytest.mark.parametrize("piece", ["a", "1", "1 ", "a@", "://a:", "[parameters: ", "?key=", "-"])
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began = time.process_time()
    redact_text(text)
    assert time.process_time() - began < 1.0


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


@given(st.text("abfks_", min_size=1, max_size=17))
def test_a_short_word_is_read_as_it_is_among_others(word: str) -> None:
    assert redact_text(word) == redact_text(f"{word} ").removesuffix(" ")


def test_names_that_come_again_are_dropped_and_masked_again() -> None:
    fields = {"prompt": "diary", "api_key": "k", "of sk-abcdefgh": 1, "lane": "batch", "x" * 70: 1}
    for _ in range(2):
        told = redact_fields(fields)
        assert told == {"api_key": MASK, f"of {MASK}": 1, "lane": "batch", "x" * 70: 1}
