"""requirements.lock pins what pyproject.toml asks for, from nowhere in particular."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

INDEX = re.compile(r"--(?:extra-)?index-url|--find-links|file://")
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ASKED = [
    *PROJECT["project"]["dependencies"],
    *PROJECT["project"]["optional-dependencies"]["local"],
    *PROJECT["dependency-groups"]["test"],
]


def test_the_lock_names_versions_and_no_index() -> None:
    assert not INDEX.search(LOCK)
    assert all("==" in line for line in LOCK.splitlines() if line and not line.startswith("#"))


@pytest.mark.parametrize("asked", ASKED)
def test_the_lock_pins_every_dependency_to_a_version_that_fits(asked: str) -> None:
    requirement = Requirement(asked)
    pins = [Requirement(line) for line in LOCK.splitlines() if line and not line.startswith("#")]
    versions = [
        specifier.version
        for pin in pins
        if canonicalize_name(pin.name) == canonicalize_name(requirement.name)
        for specifier in pin.specifier
    ]
    assert versions, "run make lock"
    assert all(requirement.specifier.contains(version) for version in versions), "run make lock"
