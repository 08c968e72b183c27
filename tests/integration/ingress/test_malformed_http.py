"""What is not HTTP/1.1 as we speak it is refused, on raw sockets: framing, chunks, headers."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from select import select

import msgspec
import pytest

from shared.settings import Settings
from shared.settings.door import IngressSettings
from tests.integration.ingress.conftest import patient, settings_for
from tests.integration.ingress.running_door import RunningDoor
from tests.servers.migrated import migrate

LIMITS = IngressSettings(
    intake=False,
    drain_seconds=2.0,
    body_limit_bytes=4096,
    head_limit_bytes=8192,
    head_timeout_seconds=0.7,
    idle_timeout_seconds=2.4,
    body_timeout_seconds=0.7,
    ledger_timeout_seconds=30.0,
)
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/responses HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

MALFORMED = {
    "no HTTP at all": b"hello\r\n\r\n",
    "no version": b"GET /livez\r\nHost: x\r\n\r\n",
    "a version that does not exist": b"GET /livez HTTP/7.3\r\nHost: x\r\n\r\n",
    "a version that is not spoken here": b"GET /livez HTTP/2.0\r\nHost: x\r\n\r\n",
    "a method that does not exist": b"GE(T /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target with spaces": b"GET /li vez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target that is no path": b"GET livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a target beyond ASCII": b"GET /liv\xc3\xa9z HTTP/1.1\r\nHost: x\r\n\r\n",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two hosts": GET + b"Host: y\r\n\r\n",
    "a header without a name": GET + b": value\r\n\r\n",
    "a header without a colon": GET + b"value\r\n\r\n",
    "a space before the colon": GET + b"X-A : b\r\n\r\n",
    "a folded header": GET + b"X-A: b\r\n c\r\n\r\n",
    "a folded first header": b"GET /livez HTTP/1.1\r\n Host: x\r\n\r\n",
    "NUL in a value": GET + b"X-A: b\0c\r\n\r\n",
    "NUL in a name": GET + b"X\0A: b\r\n\r\n",
    "a carriage return in a value": GET + b"X-A: b\rc\r\n\r\n",
    "an unknown transfer coding": POST + b"Transfer-Encoding: zip\r\n\r\n",
    "a length that is no number": POST + b"Content-Length: two\r\n\r\n{}",
    "a length with a sign": POST + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "a length in hexadecimal": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "a length beyond 64 bits": POST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}",
    "an empty length": POST + b"Content-Length: \r\n\r\n{}",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "two lengths in one": POST + b"Content-Length: 2, 3\r\n\r\n{} ",
    "a length and chunks": POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    "a chunk's size with a sign": CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n",
    "a chunk's size with a prefix": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk's size that is no number": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk's size beyond 64 bits": CHUNKED + b"f" * 20 + b"\r\n{}\r\n0\r\n\r\n",
    "an empty chunk's size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"2\r\n{}{}\r\n0\r\n\r\n",
    "a chunk without its end": CHUNKED + b"2\r\n{}0\r\n\r\n",
}
MALFORMED |= {
    f"{what}, of a message": request.replace(b"GET /livez", b"POST /v1/messages")
    for what, request in MALFORMED.items()
    if request.startswith(b"GET /livez ")
}
TOO_LARGE = {
    "one long header": GET + b"X-A: " + b"a" * 9000 + b"\r\n\r\n",
    "one header without end": GET + b"X-A: " + b"a" * 9000,
    "a name without end": GET + b"a" * 9000,
    "a target without end": b"GET /" + b"a" * 9000,
    "many headers": GET + b"".join(b"X-%d: a\r\n" % one for one in range(1000)) + b"\r\n",
}


Ask = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, redis_databases: Iterator[str]) -> Settings:
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('ledger') / 'ledger.sqlite3'}"
    migrate(url)
    usual = patient(settings_for(url, next(redis_databases)))
    return msgspec.structs.replace(usual, ingress=LIMITS)


@pytest.fixture(scope="module")
def door(settings: Settings) -> Iterator[RunningDoor]:
    with RunningDoor(settings) as running:
        yield running


@pytest.fixture
def line(request: pytest.FixtureRequest, door: RunningDoor) -> Iterator[socket.socket]:
    """A connection on which nothing was said; it is not kept open for long like that."""
    if "key" in request.fixturenames:
        request.getfixturevalue("key")
    with socket.create_connection(("127.0.0.1", int(door.url.rpartition(":")[2])), 60) as opened:
        yield opened


@pytest.fixture(params=["a page", "a message"])
def ask(request: pytest.FixtureRequest, key: str) -> Ask:
    """A whole request with more headers, each a line, which is answered with 200."""
    if request.param == "a page":
        return lambda more: GET + more + b"\r\n"
    body = b'{"model":"auto","background":true,"input":"Why?"}'
    head = b"Authorization: Bearer %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    return lambda more: POST + head % (key.encode(), len(body)) + more + b"\r\n" + body


def heard(line: socket.socket) -> bytes:
    """All that comes until the door closes the connection."""
    pieces = []
    try:
        while piece := line.recv(65_536):
            pieces.append(piece)
    except ConnectionResetError:
        pass  # it closed while we were still talking
    return b"".join(pieces)


def statuses(answers: bytes) -> list[int]:
    return [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_malformed_is_refused_once_and_nothing_behind_it_is_read(
    line: socket.socket, what: str
) -> None:
    line.sendall(MALFORMED[what] + GET + b"\r\n")
    answer = heard(line)
    assert statuses(answer) == [400]
    assert b"connection: close" in answer
    assert b"invalid_http" in answer
    assert b"x-request-id: req_" in answer


@pytest.mark.parametrize("what", TOO_LARGE)
def test_a_head_above_the_limit_is_refused_before_its_end(line: socket.socket, what: str) -> None:
    line.sendall(TOO_LARGE[what])
    answer = heard(line)
    assert statuses(answer) == [431]
    assert b"headers_too_large" in answer


async def test_a_body_that_stops_is_refused(line: socket.socket, key: str) -> None:
    line.sendall(POST + b"Authorization: Bearer " + key.encode() + b"\r\n")
    line.sendall(b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
    answer = heard(line)
    assert statuses(answer) == [408]
    assert b"body_too_slow" in answer


def test_a_refusal_is_heard_by_who_is_still_talking(line: socket.socket) -> None:
    line.sendall(b"nonsense\r\n\r\n")
    while select([line], [], [], 0.001) == ([], [], []):
        line.sendall(b"a" * 1024)
    for _ in range(64):
        line.sendall(b"a" * 16_384)  # nobody reads it, and it does not cost the answer
    assert statuses(heard(line)) == [400]


def test_a_head_just_below_the_limit_is_read(line: socket.socket, ask: Ask) -> None:
    line.sendall(ask(b"Connection: close\r\nX-A: " + b"a" * 7900 + b"\r\n"))
    assert statuses(heard(line)) == [200]


def test_chunks_of_one_byte_are_read(line: socket.socket) -> None:
    body = b"".join(b"1\r\n \r\n" for _ in range(3000))
    line.sendall(CHUNKED + body + b"0\r\n\r\n" + GET + b"Connection: close\r\n\r\n")
    assert statuses(heard(line)) == [401, 200]


@pytest.mark.parametrize(
    ("begun", "told"),
    [
        (b"", []),
        (b"\r\n\r\n", [408]),
        (GET, [408]),
        (GET + b"X-A: b", [408]),
        # It is answered without its body, and then nobody waits for that.
        (POST + b"Content-Length: 9\r\n\r\n{", [401]),
        (GET + b"\r\n" + GET, [200]),
    ],
)
def test_who_does_not_go_on_is_hung_up_on(
    line: socket.socket, begun: bytes, told: list[int]
) -> None:
    line.sendall(begun)
    assert statuses(heard(line)) == told


def test_who_was_answered_may_ask_again_long_after_a_head_was_due(
    line: socket.socket, ask: Ask
) -> None:
    line.sendall(ask(b""))
    assert statuses(line.recv(65_536)) == [200]
    assert select([line], [], [], 1.5 * LIMITS.head_timeout_seconds) == ([], [], [])
    line.sendall(ask(b""))
    assert statuses(heard(line)) == [200]  # and closed in the end, without another word


def test_who_was_answered_begins_its_next_head_and_is_hung_up_on(
    line: socket.socket, ask: Ask
) -> None:
    line.sendall(ask(b""))
    assert statuses(line.recv(65_536)) == [200]
    line.sendall(GET)
    assert statuses(heard(line)) == [408]


def test_who_dribbles_a_byte_now_and_then_is_hung_up_on(line: socket.socket) -> None:
    line.settimeout(0.05)
    answer = b""
    for number, byte in enumerate(GET + b"X-A: " + b"a" * 2000):
        try:
            line.sendall(bytes([byte]))
            answer = line.recv(65_536)
            break
        except TimeoutError:
            assert number < 1200
        except ConnectionError:
            break
    assert statuses(answer) == [408]


def test_whole_requests_are_answered_before_a_malformed_one_ends_the_connection(
    line: socket.socket, ask: Ask
) -> None:
    line.sendall(ask(b"") + ask(b"") + b"nonsense\r\n\r\n" + ask(b""))
    assert statuses(heard(line)) == [200, 200]


def test_a_trailer_is_not_a_header(line: socket.socket) -> None:
    trailer = b"0\r\nContent-Type: text/plain\r\n\r\n"
    line.sendall(
        POST + b"Connection: close\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n" + trailer
    )
    assert statuses(heard(line)) == [401]  # and not 415, for the type that came too late
