"""Ctrl-C, once for an orderly end and twice for an immediate one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED: Final = 130


async def until_interrupted(
    work: Coroutine[Any, Any, None], *, report: Callable[[str], None]
) -> bool:
    """Run `work` to its end, or cancel it at the first signal and wait for its cleanup.

    True when it was interrupted.

    A second signal ends this process at once; whatever is on its leash is killed with it.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    was_asked = False

    def interrupt() -> None:
        nonlocal was_asked
        if was_asked:
            os._exit(_INTERRUPTED)
        was_asked = True
        task.cancel()
        # Whoever read what is said may have gone before us.
        with contextlib.suppress(OSError):
            report("Stopping: the door first, then the workers (again to stop at once) ...")

    for number in _SIGNALS:
        loop.add_signal_handler(number, interrupt)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
    return was_asked
