#!/usr/bin/env bash
# Phoenix translates OpenTelemetry's `gen_ai.*` attributes into OpenInference's when a span arrives. Where a
# span has no output, because its sender keeps what models write to itself, it makes one out of what else the
# response has: `output.value` becomes the JSON of the response's id and model, with `output.mime_type` =
# application/json. The screen shows it as what the model answered, exports and evaluators take it for that,
# and nothing tells that nobody sent it.
#
# Seen with arize-phoenix 20.26.1. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
server=
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: arize-phoenix==20.26.1
cat > "$folder/answer.py" <<'PY'
"""One span without an output, and what Phoenix has of it."""
import json
import sys
import time
import urllib.request
from importlib.metadata import version

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

URL = sys.argv[1]
SENT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.response.id": "resp_1",
    "gen_ai.response.model": "large",
}

export = ExportTraceServiceRequest()
span = export.resource_spans.add().scope_spans.add().spans.add()
span.name, span.trace_id, span.span_id = "chat large", b"1" * 16, b"1" * 8
span.start_time_unix_nano = time.time_ns()
span.end_time_unix_nano = span.start_time_unix_nano + 1_000_000
for key, value in SENT.items():
    attribute = span.attributes.add()
    attribute.key, attribute.value.string_value = key, value
request = urllib.request.Request(
    f"{URL}/v1/traces", export.SerializeToString(), {"content-type": "application/x-protobuf"}
)
urllib.request.urlopen(request).read()

until = time.monotonic() + 30
found = []
while not found and time.monotonic() < until:
    time.sleep(0.2)
    with urllib.request.urlopen(f"{URL}/v1/projects/default/spans") as answer:
        found = json.load(answer)["data"]
told = found[0]["attributes"]
print("arize-phoenix", version("arize-phoenix"))
print("expected: no output, for none was sent")
print(f"seen: output.value = {told.get('output.value')}, {told.get('output.mime_type')}")
as_described = json.loads(told.get("output.value", "null")) == {"id": "resp_1", "model": "large"}
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
PHOENIX_HOST=127.0.0.1 PHOENIX_PORT=$port PHOENIX_GRPC_PORT=$((port + 1)) PHOENIX_WORKING_DIR=$folder \
    PHOENIX_TELEMETRY_ENABLED=false "$folder/venv/bin/phoenix" serve > "$folder/log" 2>&1 &
server=$!
python3 - "http://127.0.0.1:$port/v1/projects" <<'PY'
import sys
import time
import urllib.request

for _ in range(600):
    try:
        urllib.request.urlopen(sys.argv[1]).read()
        break
    except OSError:
        time.sleep(0.2)
PY
timeout 60 "$folder/venv/bin/python" "$folder/answer.py" "http://127.0.0.1:$port"
