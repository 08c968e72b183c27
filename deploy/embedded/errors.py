"""What can keep the embedded stack from running."""

from __future__ import annotations

from shared.errors import ForebayError


class StackInUse(ForebayError):
    """Another stack runs in this folder: use it, stop it, or name another folder."""

    code = "stack_in_use"


class StackFailed(ForebayError):
    """A part of the stack did not come up; the message names its log."""

    code = "stack_failed"
