from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.telemetry.tracing import TraceContext, current_trace, enter_trace, extract, inject

ANY_VALUE = st.text(max_size=80) | st.binary(max_size=80) | st.integers() | st.none()
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_traceparent_is_read_into_its_parts() -> None:
    trace = extract({"traceparent": TRACEPARENT, "tracestate": "vendor=value"})
    assert trace == TraceContext(TRACEPARENT, "vendor=value")
    assert trace.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert trace.span_id == "00f067aa0ba902b7"
    assert trace.sampled


def test_an_unsampled_trace_stays_unsampled() -> None:
    trace = extract({"traceparent": TRACEPARENT[:-2] + "00"})
    assert trace is not None
    assert not trace.sampled


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "nonsense",
        None,
        17,
        TRACEPARENT.encode(),
        TRACEPARENT.upper(),
        TRACEPARENT + "\n",
        TRACEPARENT + "-more",
        "ff" + TRACEPARENT[2:],
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
        "01" + TRACEPARENT[2:] + "-" + "x" * 1000,
    ],
)
def test_what_is_not_a_traceparent_counts_as_absent(parent: object) -> None:
    assert extract({"traceparent": parent}) is None


def test_a_later_version_is_carried_on_as_it_came() -> None:
    later = "cc" + TRACEPARENT[2:] + "-what.the-future-brings"
    trace = extract({"traceparent": later})
    assert trace is not None
    enter_trace(trace)
    assert inject() == {"traceparent": later}


@pytest.mark.parametrize("state", ["x" * 600, "line\nbreak", 5, None, "ümlaut"])
def test_a_bad_tracestate_is_dropped_alone(state: object) -> None:
    assert extract({"traceparent": TRACEPARENT, "tracestate": state}) == TraceContext(TRACEPARENT)


@given(st.dictionaries(st.sampled_from(["traceparent", "tracestate"]), ANY_VALUE))
def test_no_header_raises(carrier: dict[str, object]) -> None:
    extract(carrier)


def test_nothing_is_injected_where_there_is_no_trace() -> None:
    assert inject() == {}


def test_inject_adds_to_what_is_given() -> None:
    enter_trace(TraceContext(TRACEPARENT, "a=b"))
    carrier = {"accept": "text/plain"}
    assert inject(carrier) is carrier
    assert carrier == {"accept": "text/plain", "traceparent": TRACEPARENT, "tracestate": "a=b"}


async def test_two_tasks_do_not_see_each_others_trace() -> None:
    entered = asyncio.Event()

    async def within_a_trace() -> None:
        enter_trace(TraceContext(TRACEPARENT))
        entered.set()

    async def beside_it() -> TraceContext | None:
        await entered.wait()
        return current_trace()

    _, seen = await asyncio.gather(within_a_trace(), beside_it())
    assert seen is None
