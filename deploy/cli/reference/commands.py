"""The help of all commands: as docs/cli.md shows it, and as the commands themselves do."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Final

from cyclopts import App
from rich.console import Console

from deploy.cli.__main__ import build_app
from deploy.cli.help.written_help import as_file, folded

_PAGE_WIDTH: Final = 96
_UNFOLDED: Final = 10_000


def command_reference() -> str:
    """Markdown: every command with the help that it prints."""
    return "\n".join(
        f"## {f'forebay {name}'.rstrip()}\n\n```\n{folded(text, _PAGE_WIDTH)}\n```\n"
        for name, text in _pages().items()
    )


def help_file() -> str:
    """What deploy/cli/help/help.txt holds."""
    return as_file(_pages())


def _pages() -> dict[str, str]:
    app = build_app()
    # All of them first: the list tells what each verb says of itself only once that is loaded.
    paths = list(_paths(app, ()))
    return {" ".join(path): _help(app, path) for path in paths}


def _paths(app: App, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield above
    for name in app.resolved_commands():
        if not name.startswith("-"):
            yield from _paths(app[name], (*above, name))


def _help(app: App, path: tuple[str, ...]) -> str:
    page = StringIO()
    app.help_print(list(path), console=Console(file=page, width=_UNFOLDED, color_system=None))
    return "\n".join(line.rstrip() for line in page.getvalue().strip().splitlines())
