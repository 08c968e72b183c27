"""Chaos that cannot be what was meant is refused, with the key, the value and the fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings

MODEL = {"name": "primary", "kind": "openai_compatible", "base_url": "http://h/v1", "model": "m"}
PEOPLE = {"name": "people", "kind": "handoff"}


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def finding(*injections: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings(environment(*injections))
    (only,) = refused.value.findings
    return only


def environment(*injections: dict[str, Any]) -> dict[str, str]:
    return {
        "FOREBAY_PROVIDERS": json.dumps([MODEL, PEOPLE]),
        "FOREBAY_CHAOS__ENABLED": "true",
        "FOREBAY_CHAOS__INJECTIONS": json.dumps(injections),
    }


def fault(**changes: Any) -> dict[str, Any]:
    return {"kind": "fault", "rate": 0.5, "error": "server_error"} | changes


def test_it_is_off_unless_it_is_switched_on() -> None:
    assert load_settings({}).chaos.enabled is False


def test_sound_chaos_is_taken() -> None:
    chaos = load_settings(
        environment(
            {"kind": "latency", "rate": 1, "seconds": 2.5},
            fault(providers=["primary"], tenants=["ten_1"]),
            fault(error="rate_limited", retry_after_seconds=3),
            {"kind": "outcome", "rate": 0, "text": ""},
        )
    ).chaos
    assert [each.rate for each in chaos.injections] == [1, 0.5, 0.5, 0]


@pytest.mark.parametrize("rate", [-0.1, 1.1, 20, "often", None])
def test_a_rate_is_a_share(rate: object) -> None:
    said = finding(fault(rate=rate))
    assert said.startswith("chaos.injections = ")
    assert "[0].rate" in said
    assert "Set a value that fits" in said


@pytest.mark.parametrize(
    ("injection", "said"),
    [
        ({"kind": "latency", "rate": 1}, "chaos.injections[0]: kind = 'latency' needs seconds"),
        ({"kind": "fault", "rate": 1}, "chaos.injections[0]: kind = 'fault' needs error"),
        ({"kind": "outcome", "rate": 1}, "chaos.injections[0]: kind = 'outcome' needs text"),
        (fault(text="x"), "chaos.injections[0].text = 'x' means nothing"),
        (fault(retry_after_seconds=3), "chaos.injections[0].retry_after_seconds = 3.0 means"),
        (fault(providers=["primry"]), "chaos.injections[0].providers names 'primry'"),
        (fault(providers=["people"]), "chaos.injections[0].providers names 'people'"),
        (fault(error="boom"), "[0].error"),
        ({"kind": "latency", "rate": 1, "seconds": 0}, "[0].seconds"),
    ],
)
def test_an_injection_that_makes_no_sense_is_named(injection: dict[str, Any], said: str) -> None:
    assert said in finding(injection)


def test_chaos_without_an_injection_is_a_mistake() -> None:
    assert finding().startswith("chaos.enabled = true, and there is nothing to inject")


def test_what_is_not_switched_on_must_be_sound_all_the_same() -> None:
    with pytest.raises(SettingsError):
        load_settings(environment(fault(rate=7)) | {"FOREBAY_CHAOS__ENABLED": "false"})
