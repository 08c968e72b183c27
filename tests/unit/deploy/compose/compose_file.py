"""docker-compose.yml as the engine reads it: variables filled in, defaults merged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[4]
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<operator>:[-?])(?P<word>[^}]*))?\})")


def example_environment() -> dict[str, str]:
    """What a newcomer copies to .env."""
    lines = (ROOT / "deploy/docker/example.env").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def load_compose(environment: dict[str, str]) -> dict[str, Any]:
    """The whole file; KeyError with the message of a required variable that is not set."""

    def fill(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        value = environment.get(match["name"], "")
        if value == "" and match["operator"] == ":?":
            raise KeyError(f"{match['name']}: {match['word']}")
        return value or (match["word"] if match["operator"] == ":-" else "") or ""

    text = (ROOT / "docker-compose.yml").read_text()
    loaded: dict[str, Any] = _fill_everywhere(yaml.safe_load(text), fill)
    return loaded


def _fill_everywhere(node: Any, fill: Any) -> Any:
    if isinstance(node, dict):
        return {key: _fill_everywhere(value, fill) for key, value in node.items()}
    if isinstance(node, list):
        return [_fill_everywhere(value, fill) for value in node]
    return VARIABLE.sub(fill, node) if isinstance(node, str) else node
