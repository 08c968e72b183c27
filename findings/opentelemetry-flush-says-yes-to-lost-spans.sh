#!/usr/bin/env bash
# `TracerProvider.force_flush()` returns True "if all spans are flushed". It does so too where the exporter has
# said that it failed and the spans are dropped: a batch processor does not look at what `export` returns. A
# program that flushes before it ends, or a check whether traces arrive, cannot go by the answer; only the
# exporter's own return value tells.
#
# Seen with opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http 1.45.2. Exit 0 while that is so, 1
# once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2
cat > "$folder/flush.py" <<'PY'
"""One span for an exporter that fails, and one for a collector that is not there."""
import importlib.metadata
import logging
import socket
import sys

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

logging.disable()


class Failing(SpanExporter):
    def export(self, spans):
        return SpanExportResult.FAILURE

    def shutdown(self):
        pass


class Watched(OTLPSpanExporter):
    result = None

    def export(self, spans):
        Watched.result = super().export(spans)
        return Watched.result


def flushed(exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    with provider.get_tracer("a").start_as_current_span("turn"):
        pass
    return provider.force_flush(10_000)


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
print("opentelemetry-sdk", importlib.metadata.version("opentelemetry-sdk"))
print("expected: False twice")
failing = flushed(Failing())
absent = flushed(Watched(endpoint=f"http://127.0.0.1:{port}/v1/traces", timeout=1))
print(f"seen: {failing} where the exporter says FAILURE; {absent} where nobody listens and")
print(f"      the exporter said {Watched.result.name}")
as_described = (failing, absent, Watched.result) == (True, True, SpanExportResult.FAILURE)
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
"$folder/venv/bin/python" "$folder/flush.py"
