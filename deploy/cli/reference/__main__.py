"""`python -m deploy.cli.reference`: bring docs/cli.md and docs/settings.md up to date."""

from __future__ import annotations

from deploy.cli.reference.commands import command_reference
from deploy.cli.reference.pages import DOCS, with_reference
from deploy.cli.reference.settings import settings_reference


def main() -> None:
    for name, reference in (("cli.md", command_reference()), ("settings.md", settings_reference())):
        page = DOCS / name
        page.write_text(with_reference(page.read_text("utf-8"), reference), encoding="utf-8")


if __name__ == "__main__":
    main()
