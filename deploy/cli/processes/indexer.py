"""`forebay indexer`: starts an indexer."""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.processes.worker import checked_node_name
from indexer.keys import require_keys
from shared.settings import load_settings


def indexer(
    *,
    concurrency: Annotated[int | None, Parameter(validator=Number(gte=1, lte=1_000))] = None,
    name: str | None = None,
) -> NoReturn:
    """Index documents, in one process and its encoders, until Ctrl-C.

    Becomes `python -m indexer`, which is `celery -A indexer.app worker` with our asyncio pool. It
    ends with 0 when it is told to; what it had begun goes to another one, or waits.

    Parameters
    ----------
    concurrency
        Groups of documents at once; `index.concurrency` of the settings when not given.
    name
        Its name among the workers, such as indexer1@host; a new one when not given.
    """
    named = checked_node_name(name)
    require_keys(load_settings())
    command = [sys.executable, "-m", "indexer"]
    if concurrency is not None:
        command.append(f"--concurrency={concurrency}")
    if named is not None:
        command.append(f"--name={named}")
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted
