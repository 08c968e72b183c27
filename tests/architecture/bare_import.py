"""Run as a script with module names: imports them as if only our declared dependencies were there.

The test environment holds more than a user's; a library that only tests install must not be what
makes the product start.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def runtime_distributions() -> set[str]:
    """What `pip install forebay` brings along."""
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = [("forebay", frozenset[str]())]
    while waiting:
        wanted = waiting.pop()
        if wanted not in found:
            found.add(wanted)
            waiting.extend(_wanted_by(*wanted))
    return {name for name, _ in found}


def _wanted_by(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        return
    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)


class OnlyDeclared(MetaPathFinder):
    """Finds nothing, and forbids what no declared dependency brings."""

    def __init__(self) -> None:
        declared = runtime_distributions()
        self._foreign = {
            module
            for module, owners in packages_distributions().items()
            if not {canonicalize_name(owner) for owner in owners} & declared
        }

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname.partition(".")[0] in self._foreign:
            raise ModuleNotFoundError(f"{fullname} is not a declared dependency", name=fullname)


if __name__ == "__main__":
    for loaded in [name for name in sys.modules if name.partition(".")[0] == "packaging"]:
        del sys.modules[loaded]
    sys.meta_path.insert(0, OnlyDeclared())
    for name in sys.argv[1:]:
        importlib.import_module(name)
