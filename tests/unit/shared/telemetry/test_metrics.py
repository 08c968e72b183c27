from __future__ import annotations

import re
from typing import get_type_hints

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.telemetry import instruments
from shared.telemetry.instrument import Instrument, InstrumentType, Label
from shared.telemetry.instrument_tables import road
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
    assert len(Lane) == road.LANE.bound
    assert len(ResponseState) <= instruments.STATE.bound
    assert len(DeadReason) <= road.DEAD_REASON.bound


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


COUNTERS = [one for one in INSTRUMENTS if one.type is InstrumentType.COUNTER]


def rendered(metrics: Metrics) -> set[str]:
    """The series that are at 0, with their labels."""
    lines = metrics.render().decode().splitlines()
    return {line.removesuffix(" 0.0") for line in lines if line.endswith(" 0.0")}


@pytest.mark.parametrize("instrument", COUNTERS, ids=lambda one: one.name)
def test_a_counter_whose_labels_are_known_is_there_before_it_rises(instrument: Instrument) -> None:
    there = {line for line in rendered(Metrics()) if line.startswith(instrument.name)}
    expected = 1
    for label in instrument.labels:
        expected *= len(label.known)
    assert len(there) == expected


def test_what_an_alert_is_on_is_there_at_0() -> None:
    there = rendered(Metrics())
    for reason in DeadReason:
        assert f'forebay_dead_letters_total{{reason="{reason}"}}' in there


def test_counters_of_a_model_are_there_once_it_is_known() -> None:
    metrics = Metrics()
    before = rendered(metrics)
    metrics.count_from_zero(provider="first", model="large")
    added = rendered(metrics) - before
    assert all('provider="first"' in line for line in added)
    for state in ("closed", "half-open", "open"):
        labels = f'model="large",provider="first",state="{state}"'
        assert f"forebay_breaker_transitions_total{{{labels}}}" in added
    assert 'forebay_unknown_costs_total{model="large",provider="first"}' in added


@pytest.mark.parametrize(
    "label", dict.fromkeys(label for one in INSTRUMENTS for label in one.labels), ids=repr
)
def test_known_values_are_all_that_a_label_takes(label: Label) -> None:
    assert len(set(label.known)) == len(label.known) in {0, label.bound}


def test_creation_times_are_left_out() -> None:
    metrics = Metrics()
    metrics.dead_letters.labels("malformed").inc()
    assert b"_created" not in metrics.render()
