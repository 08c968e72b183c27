#!/usr/bin/env bash
# `get_raw_index(uid)` of meilisearch-python-sdk answers None where there is no such index, and by its
# documentation raises MeilisearchApiError "if the Meilisearch API returned an error". It looks for the
# status 404 alone: the JSON of any other error is read as an index, whose fields are then looked for in
# vain. A key without rights, a rate limit or a full disk come out as a pydantic ValidationError, which is
# no MeilisearchError, so `except MeilisearchError` lets it through and no retry sees a 429 or 503.
#
# Seen with meilisearch-python-sdk 8.0.1. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check meilisearch-python-sdk==8.0.1
cat > "$folder/errors.py" <<'PY'
"""A loopback server answers as Meilisearch does when it refuses; prints what two calls make of it."""
import http.server
import importlib.metadata
import json
import sys
import threading

from meilisearch_python_sdk import Client
from meilisearch_python_sdk.errors import MeilisearchError

REFUSALS = {
    403: ("invalid_api_key", "auth", "The provided API key is invalid."),
    429: ("too_many_search_requests", "system", "Too many search requests."),
    500: ("internal", "internal", "An internal error has occurred."),
}


class Refuses(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status = int(self.path.split("/")[2].split("-")[1])
        code, kind, message = REFUSALS[status]
        link = f"https://docs.meilisearch.com/errors#{code}"
        said = {"message": message, "code": code, "type": kind, "link": link}
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def outcome(call):
    """The class of what is raised, and whether it is the SDK's."""
    try:
        return f"gives {call()!r}", True
    except Exception as error:
        return f"raises {type(error).__name__}", isinstance(error, MeilisearchError)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = Client(f"http://127.0.0.1:{server.server_port}", "a-key", timeout=20)
seen = {
    status: (
        outcome(lambda: client.get_index(f"index-{status}")),
        outcome(lambda: client.get_raw_index(f"index-{status}")),
    )
    for status in REFUSALS
}
server.shutdown()
print("meilisearch-python-sdk", importlib.metadata.version("meilisearch-python-sdk"))
print("expected: both raise a MeilisearchError for each status")
for status, ((whole, _), (raw, is_own)) in seen.items():
    print(f"seen, {status}: get_index {whole}; get_raw_index {raw}, a MeilisearchError: {is_own}")
as_described = all(own and not raw_own for (_, own), (_, raw_own) in seen.values())
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/errors.py"
