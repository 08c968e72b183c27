"""Thresholds and weights out of range never start a worker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def finding(text: str, folder: Path) -> str:
    file = folder / "forebay.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        load_settings({}, file=file)
    (only,) = refused.value.findings
    return only


@pytest.mark.parametrize("value", ["1.5", "-0.1", "'high'"])
@pytest.mark.parametrize("key", ["large_from", "weight_code"])
def test_a_value_out_of_range_is_named_with_key_value_and_range(
    key: str, value: str, tmp_path: Path
) -> None:
    said = finding(f"[routing]\n{key} = {value}\n", tmp_path)
    assert said.startswith(f"routing.{key} = {value}")
    assert "forebay.toml" in said


@pytest.mark.parametrize(
    "tenant",
    [
        "[routing.tenants.ten_1]\ntier = 'medium'\n",
        "[routing.tenants.ten_1]\nlarge_from = 2\n",
        "[routing.tenants.ten_1]\nmodel = 'x'\n",
    ],
)
def test_a_tenant_that_cannot_be_is_named(tenant: str, tmp_path: Path) -> None:
    assert finding(tenant, tmp_path).startswith("routing.tenants")


def test_a_tenants_name_in_the_place_of_its_id_is_found(tmp_path: Path) -> None:
    said = finding("[routing.tenants.acme]\ntier = 'small'\n", tmp_path)
    assert said.startswith("routing.tenants: 'acme'")
    assert "forebay keys list" in said


def test_the_environment_sets_it_too() -> None:
    tenants = json.dumps({"ten_1": {"tier": "large"}})
    settings: Settings = load_settings(
        {"FOREBAY_ROUTING__LARGE_FROM": "0.5", "FOREBAY_ROUTING__TENANTS": tenants}
    )
    assert settings.routing.large_from == 0.5
    assert settings.routing.tenants["ten_1"].tier == "large"
