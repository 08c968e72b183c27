"""What the documents point at exists."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from shared.telemetry.instruments import INSTRUMENTS
from tests.architecture.tree import ROOT, repository_files

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)
MAKE_COMMAND = re.compile(r"\bmake ([a-z]+)\b")
FOREBAY_COMMAND = re.compile(r"\bforebay ([a-z]+)\b")
COMMAND_HEAD = re.compile(r"^## forebay ([a-z -]+)$", flags=re.MULTILINE)
CONSOLE_COMMAND = re.compile(r"\bforebay ([a-z]+) ?([a-z-]*)")
METRIC = re.compile(r"`(forebay_[a-z_]+)")
TABLE_ROW = re.compile(r"^\| `([a-z_.]+)` \|", flags=re.MULTILINE)
TABLE_OF_KEYS = re.compile(
    r"^### \[+([a-z_.]+)\]+$(.*?)(?=^###|\Z)", flags=re.MULTILINE | re.DOTALL
)
SETTING = re.compile(r"`([a-z_]+(?:\.[a-z_]+)+)`")
CODE = re.compile(r"`[^`\n]+`|^```.*?^```", flags=re.MULTILINE | re.DOTALL)
FOREBAY_CALL = re.compile(r"\bforebay ([a-z]+(?: [a-z]+(?:-[a-z]+)*)?)\b([^\n`]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
COMMAND_HELP = re.compile(
    r"^## forebay ([a-z -]+)$(.*?)(?=^## |\Z)", flags=re.MULTILINE | re.DOTALL
)
STEP = re.compile(r'^    name = "([a-z_]+)"', flags=re.MULTILINE)
STEP_ROW = re.compile(r"^\| ([a-z ]+) \|", flags=re.MULTILINE)
PYTHON = re.compile(r"^```python$(.*?)^```", flags=re.MULTILINE | re.DOTALL)
IMPORT = re.compile(r"^(?:from|import) (\w+)", flags=re.MULTILINE)
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


def test_every_metric_in_the_documents_exists() -> None:
    assert _named(METRIC) <= {instrument.name for instrument in INSTRUMENTS}


def test_every_setting_in_the_documents_exists() -> None:
    known = _settings()
    sections = {setting.partition(".")[0] for setting in known}
    named = {name for name in _named(SETTING) if name.partition(".")[0] in sections}
    assert named <= known


def test_every_command_of_ours_in_the_documents_exists() -> None:
    commands = _named(re.compile(r"^## forebay ([a-z]+)$", flags=re.MULTILINE))
    named = {
        name
        for document in _documents()
        for code in CODE.findall(document.read_text())
        for name in FOREBAY_COMMAND.findall(code)
    }
    assert named <= commands


def test_every_command_that_the_console_names_exists() -> None:
    heads = set(COMMAND_HEAD.findall((ROOT / "docs" / "cli.md").read_text()))
    groups = {head.rpartition(" ")[0] for head in heads}
    pages = (ROOT / "ingress" / "console" / "page").rglob("*.js")
    named = {found for page in pages for found in CONSOLE_COMMAND.findall(page.read_text())}
    assert named
    assert {" ".join(one).strip() if one[0] in groups else one[0] for one in named} <= heads


def test_every_option_of_ours_in_the_documents_exists() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    known = {title: set(OPTION.findall(text)) for title, text in COMMAND_HELP.findall(page)}
    unknown = {
        (command, option)
        for document in _documents()
        for code in CODE.findall(document.read_text())
        for command, rest in FOREBAY_CALL.findall(code)
        for option in OPTION.findall(rest.partition("  #")[0])
        if option not in known.get(command, set()) | known.get(command.split()[0], set())
    }
    assert unknown == set()


def test_every_step_of_a_turn_stands_in_the_table_of_the_turn() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    steps = {
        name.replace("_", " ")
        for file in (ROOT / "workers" / "steps").rglob("*.py")
        for name in STEP.findall(file.read_text())
    }
    assert steps == set(STEP_ROW.findall(page.partition("## The turn")[2])) - {"step"}


def test_what_the_readme_imports_it_says_how_to_install() -> None:
    readme = (ROOT / "README.md").read_text()
    imported = set(IMPORT.findall("".join(PYTHON.findall(readme))))
    ours = {entry.name for entry in ROOT.iterdir()}
    installed = set(re.findall(r"pip install ([a-z]+)", readme))
    assert imported - ours - sys.stdlib_module_names <= installed


def test_the_readme_leads_to_every_page() -> None:
    linked = set(LINK.findall((ROOT / "README.md").read_text()))
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= linked


def test_the_readme_shows_both_commands_for_newcomers() -> None:
    readme = (ROOT / "README.md").read_text()
    assert {"demo", "test"} <= set(MAKE_COMMAND.findall(readme))


def _named(pattern: re.Pattern[str]) -> set[str]:
    return {name for file in _documents() for name in pattern.findall(file.read_text())}


def _settings() -> set[str]:
    """Those in docs/settings.md, which is printed from the code; keys of tables by their table."""
    page = (ROOT / "docs" / "settings.md").read_text()
    known = {name for name in TABLE_ROW.findall(page) if "." in name}
    for heading, rows in TABLE_OF_KEYS.findall(page):
        known |= {f"{heading}.{key}" for key in TABLE_ROW.findall(rows)}
    return known


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
