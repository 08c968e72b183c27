"""Online judging is off, and says what it lacks when it is turned on."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings, with_secrets

_JUDGING = {
    "FOREBAY_EVALUATION__ENABLED": "true",
    "FOREBAY_EVALUATION__JUDGE": "m",
    "FOREBAY_EVALUATION__URL": "http://127.0.0.1:8080",
    "FOREBAY_EVALUATION__KEY_ENV": "JUDGE_KEY",
}


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _findings(**changed: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load_settings(_JUDGING | {f"FOREBAY_EVALUATION__{key}": it for key, it in changed.items()})
    return list(refused.value.findings)


def test_nothing_is_judged_unless_it_is_said() -> None:
    assert not load_settings({}).evaluation.enabled


def test_its_key_is_taken_from_where_it_is_named() -> None:
    settings = load_settings(_JUDGING)
    filled = with_secrets(settings, {"JUDGE_KEY": "fb_secret"})
    assert filled.evaluation.key is not None
    assert filled.evaluation.key.reveal() == "fb_secret"
    assert "fb_secret" not in repr(filled.evaluation)
    with pytest.raises(SettingsError, match="evaluation takes its key from \\$JUDGE_KEY"):
        with_secrets(settings, {})


def test_what_is_missing_is_named() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"FOREBAY_EVALUATION__ENABLED": "true"})
    found = list(refused.value.findings)
    assert len(found) == 3
    for key in ("evaluation.judge", "evaluation.url", "evaluation.key_env"):
        assert any(key in each for each in found)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("DAILY_BUDGET", "0", "evaluation.daily_budget = 0"),
        ("URL", "ftp://me:hunter2@host", "Write http://HOST:PORT"),
        ("KEY_FILE", "key.txt", "Set one of evaluation.key_env and evaluation.key_file"),
    ],
)
def test_what_cannot_work_is_named_with_the_fix(key: str, value: str, said: str) -> None:
    (finding,) = _findings(**{key: value})
    assert said in finding
    assert "hunter2" not in finding
