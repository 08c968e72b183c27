from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from shared.settings.telemetry import LogFormat, LogLevel, TelemetrySettings
from shared.telemetry.logs import bind, configure_logs, get_logger
from shared.telemetry.tracing import TraceContext, enter_trace

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SEEDED = ("sk-seeded123456", "hunter2", "jane@example.com", "4111111111111111", "078-05-1120")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)


@pytest.fixture
def sink() -> io.StringIO:
    stream = io.StringIO()
    configure_logs(TelemetrySettings(), stream)
    return stream


def _lines(sink: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_a_line_says_when_what_where_and_for_which_message(sink: io.StringIO) -> None:
    enter_trace(TraceContext(TRACEPARENT))
    with bind(message_id="resp_1", tenant="ten_1"):
        get_logger("workers.turn").info("claimed", lane="batch")

    (line,) = _lines(sink)
    assert str(line.pop("timestamp")).endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "workers.turn",
        "event": "claimed",
        "lane": "batch",
        "message_id": "resp_1",
        "tenant": "ten_1",
        "trace_id": TRACEPARENT[3:35],
    }


def test_what_was_bound_ends_with_its_block(sink: io.StringIO) -> None:
    with bind(tenant="ten_1"):
        with bind(message_id="resp_1"):
            get_logger("x").info("inside")
        get_logger("x").info("between")
    get_logger("x").info("outside")
    seen = [(line.get("tenant"), line.get("message_id")) for line in _lines(sink)]
    assert seen == [("ten_1", "resp_1"), ("ten_1", None), (None, None)]


@pytest.mark.parametrize("name", ["celery.worker", "kombu", "uvicorn.error", "uvicorn.access"])
def test_foreign_lines_come_through_the_same_sink_once(sink: io.StringIO, name: str) -> None:
    with bind(message_id="resp_1"):
        logging.getLogger(name).warning("connected to %s", "amqp://u:hunter2@host")
    (line,) = _lines(sink)
    assert line["event"] == "connected to amqp://u:[redacted]@host"
    assert (line["logger"], line["message_id"]) == (name, "resp_1")


def test_handlers_that_others_installed_are_replaced() -> None:
    foreign, ours = io.StringIO(), io.StringIO()
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler(foreign))
    logging.getLogger("uvicorn").propagate = False
    configure_logs(TelemetrySettings(), ours)
    logging.getLogger("uvicorn").warning("once")
    assert foreign.getvalue() == ""
    assert len(_lines(ours)) == 1


@pytest.mark.parametrize("log_format", LogFormat)
def test_no_seeded_secret_reaches_the_sink_by_any_way(log_format: LogFormat) -> None:
    sink = io.StringIO()
    configure_logs(TelemetrySettings(log_format=log_format), sink)
    log = get_logger("x")
    for secret in (*SEEDED[:1], f"redis://u:{SEEDED[1]}@host", *SEEDED[2:]):
        log.info(f"event {secret}", field=secret, nested={"deep": [secret]}, prompt=secret)
        logging.getLogger("celery").warning("argument %s", secret)
        logging.getLogger("celery").warning("malformed %d %d", secret)  # noqa: PLE1206 - the point
        try:
            raise ValueError(secret)
        except ValueError as error:
            log.exception("failed", error=error)
            logging.getLogger("kombu").exception("failed")
    assert "ValueError" in sink.getvalue()
    assert not [secret for secret in SEEDED if secret in sink.getvalue()]


@pytest.mark.parametrize("name", ["prompt", "input", "content", "body", "output"])
def test_prompts_are_not_logged(sink: io.StringIO, name: str) -> None:
    get_logger("x").info("answered", **{name: "my diary"}, messages=[{name: "my diary"}])
    assert "diary" not in sink.getvalue()
    assert "answered" in sink.getvalue()


def test_a_traceback_shows_no_local_variable(sink: io.StringIO) -> None:
    prompt = "my diary"
    try:
        raise RuntimeError(len(prompt))
    except RuntimeError:
        get_logger("x").exception("failed")
    assert "RuntimeError: 8" in str(_lines(sink)[0]["exception"])
    assert 'prompt = "my' not in sink.getvalue().replace("\\", "").split("raise")[0]


def test_below_the_level_nothing_is_written() -> None:
    sink = io.StringIO()
    configure_logs(TelemetrySettings(log_level=LogLevel.WARNING), sink)
    get_logger("x").info("quiet")
    logging.getLogger("celery").info("quiet")
    get_logger("x").warning("loud")
    assert [line["event"] for line in _lines(sink)] == ["loud"]


def test_a_field_cannot_pose_as_the_origin_of_its_line(sink: io.StringIO) -> None:
    get_logger("x").info("claimed", level="critical", logger="root")
    assert (_lines(sink)[0]["level"], _lines(sink)[0]["logger"]) == ("info", "x")


def test_text_cannot_forge_a_second_line() -> None:
    sink = io.StringIO()
    configure_logs(TelemetrySettings(log_format=LogFormat.TEXT), sink)
    get_logger("x").info("claimed", user="a\n2026-01-01 [critical] all is lost\x1b[31m")
    assert len(sink.getvalue().splitlines()) == 1
    assert "\x1b" not in sink.getvalue()


def test_lines_go_to_stderr_and_never_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(TelemetrySettings())
    get_logger("x").info("claimed")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "claimed" in captured.err
