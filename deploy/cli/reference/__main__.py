"""`python -m deploy.cli.reference`: bring docs/cli.md, docs/settings.md and help.txt up to date."""

from __future__ import annotations

from deploy.cli.help.written_help import HELP_FILE
from deploy.cli.reference.commands import command_reference, help_file
from deploy.cli.reference.pages import DOCS, with_reference
from deploy.cli.reference.settings import settings_reference


def main() -> None:
    HELP_FILE.write_text(help_file(), encoding="utf-8")
    for name, reference in (("cli.md", command_reference()), ("settings.md", settings_reference())):
        page = DOCS / name
        page.write_text(with_reference(page.read_text("utf-8"), reference), encoding="utf-8")


if __name__ == "__main__":
    main()
