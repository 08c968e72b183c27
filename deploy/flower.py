"""`python -m deploy.flower`: Flower as a process, with its own options and FLOWER_ variables.

It shows what workers tell: it needs the broker's settings, and no task of ours.
"""

from __future__ import annotations

import sys
from typing import Final

from celery.bin.base import CLIContext
from click import Group
from flower.command import flower  # type: ignore[import-untyped]

from shared.errors import SettingsError
from shared.queueing.celery_app import build_celery_app
from shared.settings import load_settings

_UNUSABLE_SETTINGS: Final = 78  # EX_CONFIG


def main() -> int:
    """Show until told to end, which ends the process; 78 when the settings cannot be used."""
    try:
        settings = load_settings()
    except SettingsError as error:
        print("\n".join(error.findings), file=sys.stderr)  # noqa: T201
        return _UNUSABLE_SETTINGS
    app = build_celery_app(settings, name="workers")
    # Flower looks at the command above it, to warn of options that belong there.
    above = Group("python -m deploy.flower", commands={"flower": flower})
    return above.main(
        ["flower", *sys.argv[1:]], obj=CLIContext(app=app, no_color=False, workdir=None)
    )


if __name__ == "__main__":
    sys.exit(main())
