"""Nothing in the repository is a secret or knows the machine it was written on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, repository_files

SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an OpenAI or Anthropic key": re.compile(r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_]{32,}"),
    "an AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}"),
    "a Slack token": re.compile(r"\bxox[abpr]-[A-Za-z0-9-]{20,}"),
}
MACHINE_PATHS = re.compile(r"(?<![\w.$}~-])/(?:home|Users|root|work|workspace)/[\w.-]+")


def _texts() -> list[tuple[Path, str]]:
    files = [file for file in repository_files() if file != Path(__file__)]
    return [(file.relative_to(ROOT), file.read_text(errors="replace")) for file in files]


@pytest.mark.parametrize("kind", SECRETS)
def test_the_repository_contains_no_secret(kind: str) -> None:
    assert not [str(name) for name, text in _texts() if SECRETS[kind].search(text)]


def test_the_repository_knows_no_machine() -> None:
    found = [(str(name), MACHINE_PATHS.findall(text)) for name, text in _texts()]
    assert not [(name, paths) for name, paths in found if paths]
