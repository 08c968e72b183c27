"""A stack of its own for scenes that need few slots: one worker with four."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from deploy.cli.demo.stage import Stage, open_stage, until

SLOTS: Final = 4


@asynccontextmanager
async def small_stage(
    *, dispatches: bool = True, provider_batches: bool = False
) -> AsyncIterator[Stage]:
    """It answers, and where it dispatches somebody leads by now.

    With `provider_batches` the first provider takes what can wait as batches of its own.
    """
    variables = {
        "FOREBAY_WORKER__CONCURRENCY": str(SLOTS),
        "FOREBAY_EMBEDDED__WORKERS": "1",
        "FOREBAY_EMBEDDED__FLOWER": "false",
        "FOREBAY_EMBEDDED__INDEXER": "false",
        "FOREBAY_DISPATCH__ENABLED": str(dispatches).lower(),
        # Of those few batch calls that there are every one may have to give way.
        "FOREBAY_DISPATCH__WASTE_SHARE": "1",
    }
    with tempfile.TemporaryDirectory(prefix="forebay-demo-") as folder:
        opening = open_stage(
            Path(folder),
            report=_unheard,
            variables=variables,
            provider_batches=provider_batches,
        )
        async with opening as stage:
            await stage.visitor.post("Are you there?")
            if dispatches:
                await until(stage.fleet.is_dispatched)
            yield stage


def _unheard(line: str) -> None:
    """The stack's own reports are not the scene's."""
