from __future__ import annotations

import re
from typing import get_type_hints

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.telemetry import instruments, road_instruments
from shared.telemetry.instrument import Instrument, InstrumentType
from shared.telemetry.instruments import INSTRUMENTS
from shared.telemetry.metrics import Metrics
from tests.architecture.tree import ROOT, product_files

CLASSES = {
    InstrumentType.COUNTER: Counter,
    InstrumentType.GAUGE: Gauge,
    InstrumentType.HISTOGRAM: Histogram,
}
UNBOUNDED = re.compile(r"(^|_)(id|user|tenant|key|conversation|message|url|path|text|email)($|_)")
MOST_SERIES = 2_000

each_instrument = pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda one: one.name)


def test_every_name_is_there_once() -> None:
    names = [instrument.name for instrument in INSTRUMENTS]
    assert len(names) == len(set(names))


@each_instrument
def test_a_name_says_whose_it_is_and_in_which_unit(instrument: Instrument) -> None:
    assert re.fullmatch(r"forebay(_[a-z]+)+", instrument.name)
    assert instrument.name.endswith("_total") == (instrument.type is InstrumentType.COUNTER)
    assert instrument.name.endswith("_seconds") == (instrument.unit == "seconds")
    assert instrument.name.endswith("_bytes") == (instrument.unit == "bytes")
    assert not re.search(r"_(ms|millis\w*|minutes|kb|mb)(_|$)", instrument.name)


@each_instrument
def test_a_metric_explains_itself(instrument: Instrument) -> None:
    assert instrument.unit
    assert instrument.help.endswith(".")


@each_instrument
def test_labels_are_bounded(instrument: Instrument) -> None:
    assert not [name for name in instrument.label_names if UNBOUNDED.search(name)]
    assert all(label.values and 0 < label.bound <= 40 for label in instrument.labels)
    if instrument.name != "forebay_http_requests_total":
        assert instrument.series_bound <= MOST_SERIES
    assert len(set(instrument.label_names)) == len(instrument.label_names)


@each_instrument
def test_only_histograms_have_buckets_and_theirs_rise(instrument: Instrument) -> None:
    assert bool(instrument.buckets) == (instrument.type is InstrumentType.HISTOGRAM)
    assert list(instrument.buckets) == sorted(set(instrument.buckets))


def test_the_bounds_cover_what_the_messages_know() -> None:
    assert len(Lane) == road_instruments.LANE.bound
    assert len(ResponseState) <= instruments.STATE.bound
    assert len(DeadReason) <= road_instruments.DEAD_REASON.bound


def test_every_row_is_one_typed_attribute() -> None:
    typed = {
        name: kind
        for name, kind in get_type_hints(Metrics).items()
        if kind in (Counter, Gauge, Histogram)
    }
    assert typed == {one.attribute: CLASSES[one.type] for one in INSTRUMENTS}
    assert all(isinstance(getattr(Metrics(), name), kind) for name, kind in typed.items())


def test_every_metric_is_observed_somewhere() -> None:
    declaring = ROOT / "shared" / "telemetry"
    code = "".join(
        file.read_text(encoding="utf-8")
        for file in product_files()
        if declaring not in file.parents
    )
    silent = {one.attribute for one in INSTRUMENTS if not re.search(rf"\.{one.attribute}\b", code)}
    assert silent == {"build_info"}, "which says itself what it says"


def test_two_metrics_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.lease_expiries.inc()
    assert b"forebay_lease_expiries_total 1.0" in one.render()
    assert b"forebay_lease_expiries_total 0.0" in other.render()


def test_what_is_rendered_is_the_table() -> None:
    metrics = Metrics()
    for instrument in INSTRUMENTS:
        attribute = getattr(metrics, instrument.attribute)
        if instrument.labels:
            attribute.labels(*(label.name for label in instrument.labels))
    families = {
        family.name: family
        for family in text_string_to_metric_families(metrics.render().decode())
        if family.name.startswith("forebay_")
    }
    assert {name: one.type for name, one in families.items()} == {
        instrument.name.removesuffix("_total"): str(instrument.type) for instrument in INSTRUMENTS
    }
    assert all(family.samples for family in families.values())


def test_a_bound_child_counts_into_its_parent() -> None:
    metrics = Metrics()
    accepted = metrics.accepted_messages.labels(Lane.BATCH, "responses")
    accepted.inc()
    accepted.inc()
    line = b'forebay_accepted_messages_total{lane="batch",surface="responses"} 2.0'
    assert line in metrics.render()


def test_creation_times_are_left_out() -> None:
    metrics = Metrics()
    metrics.dead_letters.labels("malformed").inc()
    assert b"_created" not in metrics.render()
