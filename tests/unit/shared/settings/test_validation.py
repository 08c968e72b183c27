"""Settings of the guardrail that cannot work are found with the key and the fix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings
from shared.settings.validation import BuiltIn, Reaction


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "fix"),
    [
        ("(", "Mend the pattern"),
        ("(?=x)", "no look-around"),
        (r"(a)\1", "no back-references"),
        ("x*", "Let it need a character"),
    ],
)
def test_a_pattern_that_cannot_work_is_named_with_its_fix(pattern: str, fix: str) -> None:
    patterns = json.dumps({"employee": pattern, "fine": r"E-\d{5}"})
    with pytest.raises(SettingsError) as refused:
        load_settings({"FOREBAY_VALIDATION__PATTERNS": patterns})
    (finding,) = refused.value.findings
    assert finding.startswith("validation.patterns.employee = ")
    assert fix in finding


def test_lengths_that_no_answer_can_have_are_said() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"FOREBAY_VALIDATION__SHORTEST_CHARACTERS": "300000"})
    (finding,) = refused.value.findings
    assert "no answer could pass" in finding


def test_an_unknown_reaction_or_built_in_names_its_key() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(
            {"FOREBAY_VALIDATION__FACTS": "shout", "FOREBAY_VALIDATION__BUILT_INS": '["iban"]'}
        )
    assert {finding.split(" = ")[0] for finding in refused.value.findings} == {
        "validation.facts",
        "validation.built_ins",
    }


def test_a_file_sets_them(tmp_path: Path) -> None:
    file = tmp_path / "forebay.toml"
    file.write_text(
        '[validation]\nbuilt_ins = ["email"]\ngrounding = "handoff"\n'
        "[validation.patterns]\nemployee = 'E-\\d{5}'\n"
    )
    section = load_settings({}, file=file).validation
    assert section.built_ins == (BuiltIn.EMAIL,)
    assert section.grounding is Reaction.HANDOFF
    assert section.patterns == {"employee": r"E-\d{5}"}


def test_tenants_without_a_reaction_are_said_to_have_no_effect() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"FOREBAY_VALIDATION__AMOUNTS_TENANTS": '["ten_1"]'})
    (finding,) = refused.value.findings
    assert "Set it to re_ask" in finding
