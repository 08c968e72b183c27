from __future__ import annotations

import pytest

from deploy.cli.help.written_help import HELP_FILE
from deploy.cli.reference.commands import command_reference, help_file
from deploy.cli.reference.pages import DOCS, with_reference
from deploy.cli.reference.settings import settings_reference

PROCESSES = {"indexer", "ingress", "model", "worker"}
REMEDY = "run python -m deploy.cli.reference"


@pytest.mark.parametrize(
    ("name", "reference"),
    [("cli.md", command_reference), ("settings.md", settings_reference)],
    ids=["commands", "settings"],
)
def test_the_page_is_what_the_code_says(name: str, reference: object) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert callable(reference)
    assert page == with_reference(page, reference()), REMEDY


def test_every_command_that_ends_by_itself_tells_its_result_as_json() -> None:
    pages = [page.partition("\n") for page in command_reference().split("## forebay ")[1:]]
    leaves = {name: text for name, _, text in pages if "\nCommands:\n" not in text}
    assert {name for name, text in leaves.items() if "--json" not in text} == PROCESSES


def test_the_written_help_is_what_the_commands_say() -> None:
    assert HELP_FILE.read_text(encoding="utf-8") == help_file(), REMEDY


def test_no_secret_stands_in_the_page_of_settings() -> None:
    assert "forebay:forebay" not in settings_reference()
    assert "guest:guest" not in settings_reference()
