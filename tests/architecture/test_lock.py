"""The locks pin what pyproject.toml asks for, by hash, and nothing is installed otherwise."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

INDEX = re.compile(r"--(?:extra-)?index-url|--find-links|file://")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
ASKED = {
    "requirements.lock": [*PROJECT["project"]["dependencies"], *GROUPS["build"]],
    "requirements-embeddings.lock": PROJECT["project"]["optional-dependencies"]["embeddings"],
    "requirements-local.lock": GROUPS["local"],
    "requirements-test.lock": GROUPS["test"],
}
INSTALLS = re.compile(r"pip install (.*)")


def entries(lock: str) -> list[str]:
    """One text for each package: its pin and its hashes."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def pins(lock: str) -> dict[str, set[str]]:
    """The versions of each package; several where platforms differ."""
    found: dict[str, set[str]] = {}
    for entry in entries(lock):
        pin = Requirement(entry.partition("--hash")[0])
        versions = found.setdefault(canonicalize_name(pin.name), set())
        versions |= {specifier.version for specifier in pin.specifier}
    return found


@pytest.mark.parametrize("lock", ASKED)
def test_a_lock_names_versions_with_hashes_and_no_index(lock: str) -> None:
    assert not INDEX.search((ROOT / lock).read_text())
    bare = [each for each in entries(lock) if not ("==" in each and "--hash=sha256:" in each)]
    assert bare == []


@pytest.mark.parametrize(
    ("lock", "asked"), [(lock, each) for lock in ASKED for each in ASKED[lock]]
)
def test_a_lock_pins_every_dependency_to_a_version_that_fits(lock: str, asked: str) -> None:
    requirement = Requirement(asked)
    versions = pins(lock).get(canonicalize_name(requirement.name))
    assert versions, "run make lock"
    assert all(requirement.specifier.contains(version) for version in versions), "run make lock"


def test_what_several_locks_pin_they_pin_alike() -> None:
    found: dict[str, set[frozenset[str]]] = {}
    for lock in ASKED:
        for name, versions in pins(lock).items():
            found.setdefault(name, set()).add(frozenset(versions))
    assert {name: versions for name, versions in found.items() if len(versions) > 1} == {}


def test_the_project_is_built_by_what_the_lock_has() -> None:
    for asked in PROJECT["build-system"]["requires"]:
        assert asked in GROUPS["build"]


@pytest.mark.parametrize("file", ["Makefile", "deploy/docker/Dockerfile", "deploy/create_venv.sh"])
def test_nothing_is_installed_but_by_its_hash_or_from_here(file: str) -> None:
    text = (ROOT / file).read_text().replace("$(PIP)", "pip install --no-deps")
    for options in INSTALLS.findall(text):
        is_ours = "--no-build-isolation" in options or options.endswith("--no-deps")
        assert "--no-deps" in options
        assert is_ours or "--require-hashes" in options, options
