"""When the embedded stack runs a local model, and who asks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.embedded.local_model import local_model_environment, runs_local_model
from shared.errors import SettingsError
from shared.settings import Settings, load_settings

OPENAI = '[{"name": "m", "kind": "openai_compatible", "base_url": "http://h/v1", "model": "m"}]'
OWN = '[{"name": "mine", "kind": "local"}]'
ELSEWHERE = '[{"name": "theirs", "kind": "local", "base_url": "http://elsewhere:8089/v1"}]'


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    weights = tmp_path / "weights.gguf"
    weights.write_bytes(b"GGUF")
    return {"FOREBAY_LOCAL_MODEL__WEIGHTS_FILE": str(weights)}


def planned(environment: dict[str, str]) -> Settings:
    return load_settings(environment | local_model_environment(load_settings(environment)))


def test_where_nobody_named_a_provider_it_answers_before_rules_and_people(
    installed: dict[str, str],
) -> None:
    settings = planned(installed)
    assert [provider.name for provider in settings.providers] == ["local", "rules", "handoff"]
    assert settings.providers[0].base_url == settings.local_model.base_url
    assert settings.providers[0].max_concurrency == settings.local_model.slots
    assert settings.local_model.host == "127.0.0.1"
    assert runs_local_model(settings)


def test_without_its_packages_the_chain_stays_as_it_was(tmp_path: Path) -> None:
    settings = planned({"FOREBAY_LOCAL_MODEL__WEIGHTS_FILE": str(tmp_path / "none.gguf")})
    assert settings.providers == ()
    assert not runs_local_model(settings)


def test_it_can_be_switched_off(installed: dict[str, str]) -> None:
    settings = planned({**installed, "FOREBAY_EMBEDDED__LOCAL_MODEL": "false"})
    assert settings.providers == ()
    assert not runs_local_model(settings)


@pytest.mark.parametrize(("chain", "runs"), [(OPENAI, False), (OWN, True), (ELSEWHERE, False)])
def test_a_chain_of_ones_own_decides(installed: dict[str, str], chain: str, runs: bool) -> None:
    settings = planned({**installed, "FOREBAY_PROVIDERS": chain})
    assert len(settings.providers) == 1
    assert runs_local_model(settings) is runs


def test_a_chain_that_needs_it_is_refused_where_it_is_not_installed(tmp_path: Path) -> None:
    missing = {"FOREBAY_LOCAL_MODEL__WEIGHTS_FILE": str(tmp_path / "none.gguf")}
    with pytest.raises(SettingsError, match="is not a file"):
        runs_local_model(planned({**missing, "FOREBAY_PROVIDERS": OWN}))
