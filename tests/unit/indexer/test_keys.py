"""An indexer asks for the keys of its own servers alone."""

from __future__ import annotations

import pytest

from indexer.keys import require_keys
from shared.errors import SettingsError
from shared.settings import load_settings, with_secrets

PROVIDER = (
    '[{"name": "far", "kind": "openai_compatible", "base_url": "http://127.0.0.1:1/v1",'
    ' "model": "m", "api_key_env": "NOBODY_SET_THIS"}, {"name": "people", "kind": "handoff"}]'
)


def test_keys_of_providers_are_not_its_own() -> None:
    settings = load_settings({"FOREBAY_PROVIDERS": PROVIDER})
    with pytest.raises(SettingsError):
        with_secrets(settings, {})
    require_keys(settings)


def test_a_key_of_its_stores_that_is_not_there_is_named() -> None:
    environment = {
        "FOREBAY_INDEX__QDRANT__URL": "http://127.0.0.1:1",
        "FOREBAY_INDEX__QDRANT__API_KEY_ENV": "NOBODY_SET_THIS",
    }
    with pytest.raises(SettingsError, match="NOBODY_SET_THIS"):
        require_keys(load_settings(environment))
