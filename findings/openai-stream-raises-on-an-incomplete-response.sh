#!/usr/bin/env bash
# A response that reaches `max_output_tokens` ends its stream with `response.incomplete`, an event of
# OpenAI's documented format that carries the whole response, its text and its usage. The SDK's
# `responses.stream()` passes the event on, but `get_final_response()` knows `response.completed` alone
# and raises a bare RuntimeError, not an OpenAIError: text and tokens that were paid for are lost to
# whoever asks for the final response. The same answer without streaming is returned as it is.
#
# Seen with openai 3.57.0. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openai==3.57.0
cat > "$folder/incomplete.py" <<'PY'
"""A loopback server answers as the Responses API does at its limit; prints what the SDK makes of it."""
import http.server
import json
import sys
import threading

import openai

TEXT = {"type": "output_text", "text": "half an", "annotations": []}
ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "status": "incomplete"}
RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1, "model": "a-model",
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
}
BEGUN = {**RESPONSE, "status": "in_progress", "output": []}
ENDED = {
    **RESPONSE, "status": "incomplete", "output": [{**ITEM, "content": [TEXT]}],
    "incomplete_details": {"reason": "max_output_tokens"},
    "usage": {
        "input_tokens": 1, "output_tokens": 2, "total_tokens": 3,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
}
PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
EVENTS = [
    {"type": "response.created", "response": BEGUN},
    {"type": "response.output_item.added", "output_index": 0, "item": {**ITEM, "content": []}},
    {"type": "response.content_part.added", **PLACE, "part": {**TEXT, "text": ""}},
    {"type": "response.output_text.delta", **PLACE, "delta": "half an", "logprobs": []},
    {"type": "response.output_text.done", **PLACE, "text": "half an", "logprobs": []},
    {"type": "response.content_part.done", **PLACE, "part": TEXT},
    {"type": "response.output_item.done", "output_index": 0, "item": {**ITEM, "content": [TEXT]}},
    {"type": "response.incomplete", "response": ENDED},
]


def as_stream():
    numbered = ({**each, "sequence_number": number} for number, each in enumerate(EVENTS))
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in numbered)


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        streams = request.get("stream")
        body = (as_stream() if streams else json.dumps(ENDED)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if streams else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(
    base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", max_retries=0, timeout=20
)
request = {"model": "a-model", "input": "Well?", "max_output_tokens": 16}
whole = client.responses.create(**request)
with client.responses.stream(**request) as stream:
    last = [event.type for event in stream][-1]
    try:
        final = stream.get_final_response().output_text
    except Exception as error:
        final = error
server.shutdown()
print("openai", openai.__version__)
print(f"expected: {whole.status} {whole.output_text!r}, as responses.create() returns it")
print(f"seen: the last event is {last}, get_final_response() gives {final!r}")
print(f"seen: is an OpenAIError: {isinstance(final, openai.OpenAIError)}")
as_described = type(final) is RuntimeError and last == "response.incomplete"
as_described = as_described and (whole.status, whole.output_text) == ("incomplete", "half an")
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/incomplete.py"
