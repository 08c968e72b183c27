"""Server-sent events: the same bytes give the same events, however they are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.providers.wire.server_sent_events import (
    EventParser,
    EventTooLongError,
    ServerSentEvent,
)

line_ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
texts = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=8)
lines = st.one_of(
    texts.map(lambda text: f"data: {text}"),
    texts.map(lambda text: f"data:{text}"),
    texts.map(lambda text: f": {text}"),
    texts.map(lambda text: f"event: {text}"),
    st.sampled_from(["", "", "data", "id: 1", "retry: 10", "unknown: x"]),
    texts,
)


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    written = draw(st.lists(st.tuples(lines, line_ends), max_size=20))
    return b"".join(line.encode() + end for line, end in written)


@st.composite
def cuts(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    stream = draw(streams())
    places = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    edges = [0, *places, len(stream)]
    return stream, [stream[a:b] for a, b in pairwise(edges)]


def parse(*chunks: bytes) -> list[ServerSentEvent]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@given(cuts())
def test_any_cut_gives_the_events_of_the_whole(cut: tuple[bytes, list[bytes]]) -> None:
    stream, chunks = cut

    assert parse(*chunks) == parse(stream)
    assert parse(*(bytes([byte]) for byte in stream)) == parse(stream)


@given(st.lists(texts, min_size=1, max_size=5), line_ends)
def test_data_lines_are_joined_by_line_feeds(data: list[str], end: bytes) -> None:
    stream = b"".join(f"data: {text}".encode() + end for text in data) + end

    assert parse(stream) == [ServerSentEvent(data="\n".join(data))]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [ServerSentEvent("a"), ServerSentEvent("b")]),
        (b"event: x\ndata: a\n\ndata: b\n\n", [ServerSentEvent("a", "x"), ServerSentEvent("b")]),
        (b": ping\n\n", []),
        (b"event: x\n\ndata: a\n\n", [ServerSentEvent("a")]),
        (b"data: unfinished\n", []),
        (b"data:  two spaces\n\n", [ServerSentEvent(" two spaces")]),
        (b"data\n\n", [ServerSentEvent("")]),
        (b"\xef\xbb\xbfdata: a\n\n", [ServerSentEvent("a")]),
        (b"data: a\r\rdata: b\r\n\r\n", [ServerSentEvent("a"), ServerSentEvent("b")]),
        ("data: naïve\u2028€\n\n".encode(), [ServerSentEvent("naïve\u2028€")]),
        (b"data: \xff\n\n", [ServerSentEvent("\ufffd")]),
    ],
)
def test_the_grammar_is_kept(stream: bytes, events: list[ServerSentEvent]) -> None:
    assert parse(stream) == events


@pytest.mark.parametrize("chunk", [b"data: " + b"x" * 100, b"data: 123456789\n" * 10, b"x" * 65])
def test_what_is_too_long_is_refused_instead_of_kept(chunk: bytes) -> None:
    parser = EventParser(limit_bytes=64)

    with pytest.raises(EventTooLongError):
        parser.feed(chunk)


def test_a_long_stream_of_short_events_is_fine() -> None:
    parser = EventParser(limit_bytes=64)

    assert sum(len(parser.feed(b"data: 123456789\n\n")) for _ in range(1000)) == 1000
