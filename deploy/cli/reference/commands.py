"""The help of all commands, as docs/cli.md shows it."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Final

from cyclopts import App
from rich.console import Console

from deploy.cli.__main__ import build_app, list_of_verbs

_WIDTH: Final = 96


def command_reference() -> str:
    """Markdown: every command with the help that it prints."""
    app = build_app()
    pages = [_page((), list_of_verbs())]
    pages += [_help(app, path) for path in _paths(app, ()) if path]
    return "\n".join(pages)


def _paths(app: App, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield above
    for name in app.resolved_commands():
        if not name.startswith("-"):
            yield from _paths(app[name], (*above, name))


def _help(app: App, path: tuple[str, ...]) -> str:
    page = StringIO()
    app.help_print(list(path), console=Console(file=page, width=_WIDTH, color_system=None))
    return _page(path, page.getvalue())


def _page(path: tuple[str, ...], text: str) -> str:
    lines = [line.rstrip() for line in text.strip().splitlines()]
    title = " ".join(("forebay", *path))
    return f"## {title}\n\n```\n{chr(10).join(lines)}\n```\n"
