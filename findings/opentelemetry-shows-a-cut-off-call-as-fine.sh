#!/usr/bin/env bash
# `tracer.start_as_current_span` marks its span as failed, with the exception as an event, when an Exception
# leaves it. asyncio's CancelledError is none (it is a BaseException): the span of a call to a model that is
# cut off by `asyncio.timeout`, or whose caller has left, ends UNSET and without an event, exactly like one
# that went well. Of a turn that failed by a deadline, the outer span says so and the call that took all its
# time looks sound.
#
# Seen with opentelemetry-sdk 1.45.2. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.2
cat > "$folder/cut_off.py" <<'PY'
"""A call that fails and one that is cut off, each within a turn."""
import asyncio
import importlib.metadata
import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

ended = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ended))
tracer = provider.get_tracer("turns")


async def fail():
    raise ConnectionError


async def turn(work):
    ended.clear()
    with tracer.start_as_current_span("turn"):
        async with asyncio.timeout(0.05):
            with tracer.start_as_current_span("chat"):
                await work


def statuses(work):
    try:
        asyncio.run(turn(work))
    except (ConnectionError, TimeoutError):
        pass
    return {span.name: (span.status.status_code.name, len(span.events)) for span in ended.get_finished_spans()}


# asyncio.timeout came with Python 3.11.
print("opentelemetry-sdk", importlib.metadata.version("opentelemetry-sdk"))
print("expected: chat ends as ERROR both times")
failed, cut_off = statuses(fail()), statuses(asyncio.sleep(5))
print(f"seen, a call that fails:      {failed}")
print(f"seen, a call that is cut off: {cut_off}")
as_described = failed == {"chat": ("ERROR", 1), "turn": ("ERROR", 1)} and cut_off == {
    "chat": ("UNSET", 0),
    "turn": ("ERROR", 1),
}
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
"$folder/venv/bin/python" "$folder/cut_off.py"
