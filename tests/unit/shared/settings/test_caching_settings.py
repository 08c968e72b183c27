"""Settings of the cache that cannot be used are refused with the key, the value and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings


def test_a_section_inside_a_section_is_read_from_file_and_environment(tmp_path: Path) -> None:
    file = tmp_path / "forebay.toml"
    file.write_text(
        "[caching]\nexact = true\n[caching.semantic]\nenabled = true\nthreshold = 0.9\n"
    )
    caching = load_settings({"FOREBAY_CACHING__SEMANTIC__THRESHOLD": "0.8"}, file=file).caching
    assert (caching.exact, caching.semantic.enabled, caching.semantic.threshold) == (
        True,
        True,
        0.8,
    )


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("PERSONAL_PATTERNS", '{"a": "(?=x)"}', "caching.personal_patterns.a = '(?=x)'"),
        ("PERSONAL_PATTERNS", '{"a": "x*"}', "Let it need a character"),
        ("HIGHEST_TEMPERATURE", "3", "caching.highest_temperature"),
        ("FLIGHT_WAIT_SHARE", "1", "caching.flight_wait_share"),
        ("SEMANTIC__ENABLED", "true", "caching.semantic.threshold"),
    ],
)
def test_what_cannot_be_used_is_refused(variable: str, value: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({f"FOREBAY_CACHING__{variable}": value})
    assert complaint in str(refused.value)


def test_a_semantic_cache_without_the_exact_one_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"needs caching\.exact"):
        load_settings(
            {
                "FOREBAY_CACHING__SEMANTIC__ENABLED": "true",
                "FOREBAY_CACHING__SEMANTIC__THRESHOLD": "0.9",
            }
        )
