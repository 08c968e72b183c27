"""Prometheus' own judge of what is meant for it: metrics, rules, and its settings."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")),
    reason="Prometheus is not installed (Debian: the package prometheus)",
)
"""On every test that asks promtool or starts a Prometheus."""
_SECONDS = 60
_RULE_FILE = re.compile(r"rule_files: \[(.+?)\]")
_EXAMPLE_OF = re.compile(r"\balertname: (\w+)")
_RULE = re.compile(r"- alert: (\w+)")


def check_metrics(text: bytes) -> None:
    """What `/metrics` answered is well formed, and every metric is named as its type asks."""
    _promtool("check", "metrics", given=text)


def check_config(file: Path) -> None:
    """Settings of Prometheus, and the rule files that they name, can be read."""
    _promtool("check", "config", str(file))


def check_rules(file: Path) -> None:
    """Each rule can be read, its query too, and none is there twice."""
    _promtool("check", "rules", "--lint=all", "--lint-fatal", str(file))


def rehearse_rules(file: Path) -> None:
    """The file's examples come out as they say; it names the rules it is of.

    Of an alert that no rule has, promtool finds that it does not fire, and is content.
    """
    text = file.read_text()
    rules = [(file.parent / name).read_text() for name in _RULE_FILE.findall(text)]
    unknown = set(_EXAMPLE_OF.findall(text)) - {name for of in rules for name in _RULE.findall(of)}
    assert not unknown, f"{file} has examples of alerts that are in no rule: {sorted(unknown)}"
    _promtool("test", "rules", str(file))


def _promtool(*words: str, given: bytes | None = None) -> None:
    done = subprocess.run(
        ["promtool", *words], input=given, capture_output=True, timeout=_SECONDS, check=False
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    # Of metrics it complains with 3, and of what cannot be read at all with 1.
    assert done.returncode == 0, f"promtool {' '.join(words)}:\n{said}"
