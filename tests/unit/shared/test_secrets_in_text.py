"""Every kind of secret is known to the guardrail, to the cache rule and to the logs alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.secrets_in_text import SECRET_KINDS, PlainText
from shared.settings.validation import BuiltIn
from shared.telemetry.redaction import redact_text
from workers.caching.cacheable import PersonalPatterns
from workers.validation.forbidden_patterns import ForbiddenPatterns, built_in
from workers.validation.verdict import Verdict

# Put together here, and made up: no file of ours holds what looks like a key.
BODY = "a1B2c3D4" * 6
GUARDRAIL = ForbiddenPatterns([built_in(BuiltIn.SECRET)], verdict=Verdict.FIX)
CACHE_RULE = PersonalPatterns({})


def _samples() -> list[str]:
    made = []
    for kind in SECRET_KINDS:
        for prefix in kind.prefixes.replace("\\", "").split("|"):
            begins = re.sub(r"\[(\w)\w*\]", r"\1", prefix)
            if "AKIA" in kind.prefixes:
                made.append(begins + "MADEUP0123456789")
            elif begins == "AIza":
                made.append(begins + BODY[:35])
            elif begins in {"eyJ", "SG."}:
                made.append(begins + BODY[:20] + (".eyJ" if begins == "eyJ" else ".") + BODY[:20])
            else:
                made.append(begins + BODY)
    dashes = "-" * 5
    made.append(
        f"{dashes}BEGIN MADE UP PRIVATE KEY{dashes}\nAAA\n{dashes}END MADE UP PRIVATE KEY{dashes}"
    )
    return made


@pytest.mark.parametrize("secret", _samples(), ids=lambda one: one[:8].strip("-") or "PEM")
@pytest.mark.parametrize("around", ["{}", "The key is {}, keep it.", "key=`{}`"])
def test_every_secret_is_known_to_all_three(secret: str, around: str) -> None:
    text = around.format(secret)
    (span,) = GUARDRAIL.spans(text)
    assert text[span.start : span.end] == secret
    assert CACHE_RULE.occur_in(text)
    assert CACHE_RULE.identify(text)
    assert secret not in redact_text(text)
    assert BODY[8:16] not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn-is-a-well-known-library",
        "set npm_config_registry and fw_version_string",
        "the half-life of task_force-members",
        "https://example.com/a/b?c=d",
    ],
)
def test_words_that_only_begin_like_one_are_left_alone(text: str) -> None:
    assert GUARDRAIL.spans(text) == []


@given(st.text(st.sampled_from("a1 *_`\\\u200b\u202f\u2013\uff14é.\n"), max_size=60))
def test_plain_text_leads_back_to_what_was_written(written: str) -> None:
    plain = PlainText(written)
    usual = {"\u202f": " ", "\u2013": "-", "\uff14": "4"}
    end = 0
    for index, character in enumerate(plain.text):
        first, last = plain.span(index, index + 1)
        assert last == first + 1 > end
        assert usual.get(written[first], written[first]) == character
        end = last
    assert PlainText("").text == ""
