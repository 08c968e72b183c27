#!/usr/bin/env bash
# Each chunk of a chat completion may name its `role`; OpenAI does so in the first, compatible servers
# do so in every one. The SDK's `chat.completions.stream()` joins strings of all chunks, the role as
# well: the final message of a three-chunk answer has the role "assistantassistantassistant". Its text
# is right and nothing is raised; the conversation is refused one turn later, when that message is sent
# back as history.
#
# Seen with openai 3.57.0. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openai==3.57.0
cat > "$folder/role.py" <<'PY'
"""A loopback server names the role once, then in every chunk; prints the role of the final message."""
import http.server
import json
import sys
import threading

import openai

WORDS = ["Yes", ", I", " can."]


def chunk(delta, finish_reason=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "a-model",
        "choices": [choice],
    }


def chunks(*, role_in_every_one):
    for number, word in enumerate(WORDS):
        role = {"role": "assistant"} if role_in_every_one or number == 0 else {}
        yield chunk({**role, "content": word})
    yield chunk({}, "stop")


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = chunks(role_in_every_one=request["model"] == "every")
        lines = [f"data: {json.dumps(each)}\n\n" for each in answer]
        body = "".join([*lines, "data: [DONE]\n\n"]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def final_message(client, model):
    messages = [{"role": "user", "content": "Can you?"}]
    with client.chat.completions.stream(model=model, messages=messages) as stream:
        message = stream.get_final_completion().choices[0].message
    return message.role, message.content


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(
    base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="none", max_retries=0, timeout=20
)
first, every = final_message(client, "first"), final_message(client, "every")
server.shutdown()
print("openai", openai.__version__)
print("expected: both final messages are ('assistant', 'Yes, I can.')")
print(f"seen: role in the first chunk {first}, role in every chunk {every}")
as_described = first == ("assistant", "Yes, I can.")
as_described = as_described and every == ("assistant" * len(WORDS), "Yes, I can.")
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/role.py"
