"""deploy/otel/collector.yml, which was never run: at least what it says of itself agrees."""

from __future__ import annotations

import yaml

from shared.telemetry.message_spans import ending
from tests.architecture.tree import ROOT

CONFIGURATION = ROOT / "deploy" / "otel" / "collector.yml"


def test_each_component_of_the_pipeline_is_configured_and_used() -> None:
    told = yaml.safe_load(CONFIGURATION.read_text())
    (pipeline,) = told["service"]["pipelines"].values()
    for kind in ("receivers", "processors", "exporters"):
        assert list(pipeline[kind]) == list(told[kind])


def test_it_decides_by_attributes_that_spans_have() -> None:
    text = CONFIGURATION.read_text()
    described = (ROOT / "docs" / "telemetry.md").read_text()
    assert "forebay.queued_seconds" in text
    assert "forebay.queued_seconds" in described
    assert ending.STATE in described
