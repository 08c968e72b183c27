#!/usr/bin/env bash
# In Anthropic's wire format a text block begins with `content_block_start`, whose block has a `text`.
# Anthropic's own servers leave it empty; compatible gateways put the first words there. The SDK's
# `text_stream` (and its `text` events) give the deltas alone, while `get_final_message()` joins both:
# whoever shows the stream to a user loses the first words, and whoever stores the final message does
# not notice.
#
# Seen with anthropic 2.14.0. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check anthropic==2.14.0
cat > "$folder/stream.py" <<'PY'
"""A loopback server speaks the wire format; prints what the SDK makes of one answer."""
import http.server
import json
import sys
import threading

import anthropic

MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "a-model", "content": [],
    "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
}
EVENTS = [
    {"type": "message_start", "message": MESSAGE},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Do not"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " delete"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " it."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta", "usage": {"output_tokens": 5},
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    },
    {"type": "message_stop"},
]


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        lines = (f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in EVENTS)
        body = "".join(lines).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = anthropic.Anthropic(
    base_url=f"http://127.0.0.1:{server.server_port}", api_key="none", max_retries=0, timeout=20
)
request = {"model": "a-model", "max_tokens": 9, "messages": [{"role": "user", "content": "Well?"}]}
with client.messages.stream(**request) as stream:
    streamed = "".join(stream.text_stream)
    final = stream.get_final_message().content[0].text
server.shutdown()
print("anthropic", anthropic.__version__)
print("expected: text_stream and get_final_message() give the same text")
print(f"seen: text_stream {streamed!r}, get_final_message() {final!r}")
as_described = (streamed, final) == (" delete it.", "Do not delete it.")
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/stream.py"
