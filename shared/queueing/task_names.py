"""The names of Celery tasks: all that the rooms know about each other's code."""

from __future__ import annotations

from enum import StrEnum


class TaskName(StrEnum):
    """Each is registered in exactly one app, or, for `INTAKE`, read by no Celery worker at all."""

    ANSWER = "forebay.answer"
    INTAKE = "forebay.intake"
    INDEX = "forebay.index"
    DOCUMENTS = "forebay.documents"
