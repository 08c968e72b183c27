"""What the documents point at exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, repository_files

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)
MAKE_COMMAND = re.compile(r"\bmake ([a-z]+)\b")
CODE = re.compile(r"`[^`\n]+`|^```.*?^```", flags=re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", flags=re.MULTILINE)


def _documents() -> list[Path]:
    return [file for file in repository_files() if file.suffix == ".md"]


@pytest.mark.parametrize("document", _documents(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_in_a_document_leads_somewhere(document: Path) -> None:
    prose = FENCE.sub("", document.read_text())
    assert not [link for link in LINK.findall(prose) if not _resolves(document, link)]


def test_every_make_command_in_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {
        name
        for document in _documents()
        for code in CODE.findall(document.read_text())
        for name in MAKE_COMMAND.findall(code)
    }
    assert named <= targets


def test_the_readme_shows_both_commands_for_newcomers() -> None:
    readme = (ROOT / "README.md").read_text()
    assert {"demo", "test"} <= set(MAKE_COMMAND.findall(readme))


def _resolves(document: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    path, _, anchor = link.partition("#")
    target = document if not path else (document.parent / path).resolve()
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or target.suffix != ".md" or anchor in _anchors(target)


def _anchors(document: Path) -> set[str]:
    """Headings as the usual viewers turn them into anchors."""
    headings = HEADING.findall(FENCE.sub("", document.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
