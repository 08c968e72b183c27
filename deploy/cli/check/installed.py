"""What is installed: versions of what we stand on, and the bytes of trained weights."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version

from deploy.cli.check.finding import CheckFinding, fine, hint
from shared.shipped_weights import MINILM, SMOLLM2, ShippedWeights, WeightsRefused

_PART = "installed"
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def check_installed(*, list_all: bool) -> list[CheckFinding]:
    """The versions in one sentence, and one for each file of weights that is here.

    Without `list_all` what we stand on is counted.
    """
    ours, *others = _versions()
    versions = ", ".join((ours, *others)) if list_all else f"{ours} on {len(others)} packages"
    where = "" if list_all else ", listed by --json"
    return [
        fine(_PART, f"Python {platform.python_version()}, {versions}{where}."),
        *(_weights(each) for each in (MINILM, SMOLLM2) if each.find() is not None),
    ]


def _weights(weights: ShippedWeights) -> CheckFinding:
    try:
        weights.verified()
    except WeightsRefused as error:
        return hint(_PART, error.message)
    return fine(
        _PART,
        f"{weights.distribution} {weights.version}: {weights.file} has the SHA-256 "
        f"{weights.sha256}, as it shall.",
    )


def _versions() -> Iterator[str]:
    """Ours first, then what we ask for, as far as it is here."""
    for name in ("forebay", *_asked()):
        with suppress(PackageNotFoundError):  # what an extra or another system asks for
            yield f"{name} {version(name)}"


def _asked() -> list[str]:
    try:
        asked = requires("forebay") or []
    except PackageNotFoundError:
        return []  # run from its sources
    return [found[0] for each in asked if (found := _NAME.match(each))]
