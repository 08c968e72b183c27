"""The demo's recording is one SVG that every reader of XML takes, without scripts."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from deploy.cli.demo.recording import Recording

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def written(tmp_path: Path) -> ElementTree.Element:
    recording = Recording()
    recording.add("✓ answered <b>&amp;", "strong")
    recording.add("word " * 60, indent=2)
    recording.add("")
    recording.write(tmp_path / "demo.svg")
    return ElementTree.parse(tmp_path / "demo.svg").getroot()


def test_each_line_is_there_folded_and_as_it_was_said(written: ElementTree.Element) -> None:
    lines = [each.text or "" for each in written.iter(f"{SVG}text")]
    assert lines[0] == "✓ answered <b>&amp;"
    assert "".join(lines[1:]).split() == ["word"] * 60
    assert all(line.startswith("  ") for line in lines[1:-1])
    assert max(map(len, lines)) <= 96


def test_it_has_one_step_for_each_line_and_nothing_that_runs(written: ElementTree.Element) -> None:
    style = "".join(each.text or "" for each in written.iter(f"{SVG}style"))
    lines = sum(1 for _ in written.iter(f"{SVG}text"))
    assert style.count("translateY") == lines + 3
    assert not [each for each in written.iter() if "script" in each.tag]


def test_nothing_at_all_is_a_picture_too(tmp_path: Path) -> None:
    Recording().write(tmp_path / "demo.svg")
    assert ElementTree.parse(tmp_path / "demo.svg").getroot().tag == f"{SVG}svg"
