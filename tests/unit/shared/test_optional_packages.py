"""Packages that are installed, and are not there for those who could do without."""

from __future__ import annotations

import importlib
import sys

import pytest

from shared.optional_packages import left_out

UNUSED = "colorsys"
"""A module of the standard library that nothing here imports."""


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delitem(sys.modules, UNUSED, raising=False)
    return UNUSED


def test_what_is_left_out_is_missing_for_as_long(unloaded: str) -> None:
    with left_out(unloaded), pytest.raises(ModuleNotFoundError):
        importlib.import_module(unloaded)
    assert importlib.import_module(unloaded).__name__ == unloaded


def test_what_was_loaded_before_stays_what_it_is() -> None:
    before = sys.modules["importlib"]
    with left_out("importlib"):
        assert importlib.import_module("importlib") is before
    assert sys.modules["importlib"] is before


def test_a_fault_inside_leaves_nothing_behind(unloaded: str) -> None:
    with pytest.raises(ZeroDivisionError), left_out(unloaded):
        raise ZeroDivisionError
    assert unloaded not in sys.modules
