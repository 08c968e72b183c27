"""Principals count where the key of their request signed them for now, and nowhere else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ingress.api.principals import sign_principals, with_signed
from ingress.authentication import Caller
from shared.clock import ManualClock, SystemClock
from shared.errors import Forbidden
from shared.messages.tenant import KeyScope, Tenant
from tests.architecture.tree import ROOT

KEY = "fb_" + "k" * 43
NOW = ManualClock().now()
SOON = NOW + timedelta(minutes=5)


def caller(principals: tuple[str, ...] | None = None, *, delegates: bool = True) -> Caller:
    return Caller(Tenant("ten_1", "acme"), KeyScope.PRODUCER, principals, delegates)


def seen(signed: str | None, by: Caller, key: str = KEY) -> tuple[str, ...] | None:
    return with_signed(by, None if signed is None else signed.encode(), key, NOW).principals


def test_what_is_signed_is_seen() -> None:
    named = ("user:ann", "group:größe")
    assert seen(sign_principals(KEY, named, SOON), caller()) == named
    assert seen(sign_principals(KEY, (), SOON), caller()) == ()


def test_without_a_signature_a_delegating_key_sees_what_names_no_readers() -> None:
    assert seen(None, caller()) == ()
    assert seen(None, caller(("user:ann",))) == ()


def test_a_key_vouches_for_no_more_than_it_sees_itself() -> None:
    signed = sign_principals(KEY, ("user:ann", "user:bob"), SOON)
    assert seen(signed, caller(("user:bob", "user:cy"))) == ("user:bob",)


def test_a_key_that_does_not_delegate_is_refused_with_its_header() -> None:
    with pytest.raises(Forbidden, match="--delegates"):
        seen(sign_principals(KEY, ("user:ann",), SOON), caller(delegates=False))


@pytest.mark.parametrize(
    ("signed", "why"),
    [
        (sign_principals("fb_other", ("user:ann",), SOON), "signature"),
        (sign_principals(KEY, ("user:ann",), NOW), "over"),
        (sign_principals(KEY, ("user:ann",), NOW + timedelta(days=2)), "more than a day"),
        (sign_principals(KEY, ("",), SOON), "no list"),
        (sign_principals(KEY, ("p",) * 65, SOON), "no list"),
        ("", "signature"),
        ("..", "signature"),
        ("9999999999", "signature"),
    ],
)
def test_what_was_not_signed_for_this_is_refused(signed: str, why: str) -> None:
    with pytest.raises(Forbidden, match=why):
        seen(signed, caller())


def test_the_function_of_the_documents_signs_what_is_read() -> None:
    page = (ROOT / "docs" / "vector-stores.md").read_text()
    code = page[page.index("import base64") :].partition("```")[0]
    told: dict[str, Any] = {}
    exec(code, told)
    signed = told["signed"](KEY, ["user:ann", "group:größe"])
    seen_by = with_signed(caller(), signed.encode(), KEY, SystemClock().now())
    assert seen_by.principals == ("user:ann", "group:größe")


def test_one_changed_character_is_refused() -> None:
    signed = sign_principals(KEY, ("user:ann",), SOON)
    for at in range(len(signed)):
        other = "1" if signed[at] != "1" else "2"
        with pytest.raises(Forbidden):
            seen(signed[:at] + other + signed[at + 1 :], caller())
