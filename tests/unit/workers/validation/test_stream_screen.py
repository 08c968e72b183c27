"""However a text is cut into pieces, nothing of a forbidden span leaves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.secrets_in_text import passes_luhn
from shared.settings.validation import BuiltIn, SpanReaction, ValidationSettings
from workers.validation.building import build_guardrail
from workers.validation.guardrail import Guardrail
from workers.validation.stream_screen import StreamScreen
from workers.validation.validator import Draft, Question

WORDS = build_guardrail(ValidationSettings(built_ins=tuple(BuiltIn)))
WINDOW = build_guardrail(
    ValidationSettings(built_ins=tuple(BuiltIn), patterns={"staff": r"\bE-\d{5}\b"})
)
CARD = "4111 1111 1111 1111"
BEFORE = "The number of the card that you asked me about yesterday evening is "
AFTER = ", which is valid until the end of next year. " + "Anything else that I can do? " * 8


def screen(guardrail: Guardrail = WORDS) -> StreamScreen:
    opened = guardrail.open_screen()
    assert opened is not None
    return opened


def released(pieces: list[str], through: StreamScreen) -> str:
    return "".join(through.feed(piece) for piece in pieces)


def fixed(text: str) -> str:
    return WINDOW.judge(Draft(text), Question()).text


@pytest.mark.parametrize("guardrail", [WORDS, WINDOW], ids=["words", "window"])
@pytest.mark.parametrize("at", range(len(BEFORE) - 2, len(BEFORE) + len(CARD) + 2))
def test_a_card_cut_anywhere_does_not_leave(at: int, guardrail: Guardrail) -> None:
    text = BEFORE + CARD + AFTER
    out = released([text[:at], *text[at:]], screen(guardrail))
    assert out == fixed(text)[: len(out)]
    assert len(out) > len(BEFORE) + len("[removed]")
    assert "4111" not in out


words = st.text(st.sampled_from("abc é.,\n19 -@_*`\u200b\u2013字"), max_size=400)


@st.composite
def card_numbers(draw: st.DrawFn) -> str:
    first = draw(st.sampled_from("3456"))
    body = first + "".join(draw(st.lists(st.sampled_from("0123456789"), min_size=14, max_size=14)))
    digits = next(body + check for check in "0123456789" if passes_luhn(body + check))
    mark = draw(st.sampled_from(["", " ", "-", "\u202f", "\u2013", "\u200b", "** **", "` `"]))
    return mark.join(digits[start : start + 4] for start in range(0, 16, 4))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_card_leaves_wherever_it_stands_and_however_it_is_cut(data: st.DataObject) -> None:
    card = data.draw(card_numbers())
    before, after = data.draw(words), data.draw(words)
    text = f"{before} x {card} x {after}"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=40)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    out = released(pieces, screen(data.draw(st.sampled_from([WORDS, WINDOW]))))
    assert card not in fixed(text)
    assert card not in out
    assert fixed(text).startswith(out), "what has left is the beginning of what is judged"


@pytest.mark.parametrize("guardrail", [WORDS, WINDOW], ids=["words", "window"])
@pytest.mark.parametrize(
    "text",
    [
        "字_@1.1 and a word ",
        "\u2028* a@1.1 and a word ",
        "字\\@1.1 and a word ",
        "4**111111111111111 and 2** more ",
        "4**1111 and 2** more ",
    ],
)
def test_what_stands_before_a_mark_counts_after_it_has_left(
    text: str, guardrail: Guardrail
) -> None:
    for size in range(1, len(text)):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        out = released([*pieces, AFTER], screen(guardrail))
        assert fixed(text + AFTER).startswith(out)
        assert len(out) >= len(" and a word ")


def test_an_address_with_an_accent_or_what_nobody_sees_does_not_leave_in_pieces() -> None:
    for address in ("jos\u00e9@example.com", "jane\u200b@example.com"):
        for guardrail in (WORDS, WINDOW):
            out = released([*f"Write to {address} {AFTER}"], screen(guardrail))
            assert out.startswith("Write to [removed] , which")


def test_words_leave_as_soon_as_they_are_whole() -> None:
    opened = screen()
    assert opened.feed("Let") == ""
    assert opened.feed(" me see") == "Let me "
    assert opened.feed(": you have 3 ") == "see: you have "
    assert opened.feed("orders ") == "3 orders "


def test_a_key_of_several_words_does_not_leave() -> None:
    key = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\nAAA\n-----END RSA PRIVATE KEY-----"
    for guardrail in (WORDS, WINDOW):
        out = released([*f"Here it is: {key} {AFTER}"], screen(guardrail))
        assert out.startswith("Here it is: [removed] , which")


def test_a_long_secret_is_held_back_until_it_ends() -> None:
    secret = "sk-" + "a1" * 400
    out = released([*f"{BEFORE}{secret} {AFTER}"], screen())
    assert out.startswith(f"{BEFORE}[removed] , which")


def test_nothing_leaves_after_a_span_that_is_not_fixed() -> None:
    guardrail = build_guardrail(ValidationSettings(forbidden=SpanReaction.RE_ASK))
    opened = guardrail.open_screen()
    assert opened is not None
    assert released([*(BEFORE + CARD + AFTER)], opened) == BEFORE


def test_text_without_white_space_still_flows() -> None:
    out = released(["字" * 2000], screen())
    assert len(out) >= 1900
    assert len(released(["x" * 2000], screen())) >= 1600


def test_nothing_is_held_back_where_nothing_is_forbidden() -> None:
    assert build_guardrail(ValidationSettings(built_ins=())).open_screen() is None


KEY_LINES = "\nZX10aY9ZXacdY9cYZdX+bZ1YXa1+b1d0Y0Y/bZa/0XZ0Y1bc\n"


@pytest.mark.parametrize("dash", ["-", "\u2011", "\u2212", "\\-", "-\u200b"])
def test_a_private_key_does_not_leave_whatever_its_dashes(dash: str) -> None:
    begin, end = (f"{dash * 5}{each} PRIVATE KEY{dash * 5}" for each in ("BEGIN EC", "END"))
    for text in (f"Here: {begin}{KEY_LINES}{end} .", f"Two: {begin}{KEY_LINES}{end} " * 2):
        out = released([*f"{text} {AFTER}"], screen())
        assert fixed(f"{text} {AFTER}").startswith(out)
        assert "BEGIN" not in out
        assert "anything" in out.lower()
