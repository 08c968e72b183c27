"""What the asyncio pool refuses, and why it stops."""

from __future__ import annotations

import click


class PoolRefused(click.ClickException):
    """The worker cannot run as it was started; the message is one sentence that says what to do.

    The `celery` command prints it without a traceback and exits with 1.
    """


class RetryRefused(Exception):
    """A task called Celery's `retry`, which this pool has not; the task fails with what to do."""


class LifespanFailed(Exception):
    """The application's lifespan did not open; its own error is the cause. The worker stops."""


class LoopDied(Exception):
    """The event loop ended while the worker still needed it. The worker stops."""
