"""Mail before a real mail server: what arrives, over what, as whom, and what refusals come to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from typing import Any

import msgspec
import pytest
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from shared.alerts.telling.deliveries import SinkOutcome
from shared.alerts.telling.message import AlertMessage
from shared.settings.secret import Secret
from shared.settings.watching.alert_sinks import AlertSinkKind, AlertSinkSettings, MailSecurity
from shared.webhooks.tables import DeliveryState
from tests.servers.authority import Authority

from .conftest import ON_SQLITE, WatchedLedger, send_round, sent, told_to

LOGIN = {"username": "forebay", "password": Secret("hunter2")}
OVER_TLS = {"security": MailSecurity.STARTTLS, **LOGIN}


class Mailbox(Sink):
    """Keeps what it is given; `answers` are to each mail, `refused` to who it is for."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Envelope] = []
        self.answer = "250 OK"
        self.refused: dict[str, str] = {}
        self.logins: list[LoginPassword] = []
        self.password = b"hunter2"
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - as the library calls it
        self, _server: object, _session: object, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - as the library calls it
        self, _server: object, _session: object, envelope: Envelope
    ) -> str:
        self.mails.append(envelope)
        return self.answer

    def log_in(self, *said: Any) -> AuthResult:
        login: LoginPassword = said[-1]
        self.logins.append(login)
        return AuthResult(success=login.password == self.password, handled=False)


@asynccontextmanager
async def opened(tls: ssl.SSLContext | None = None) -> AsyncIterator[Mailbox]:
    """A mail server that lets everybody log in, over TLS or not; one with `tls` alone offers it."""
    box, loop = Mailbox(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            box, loop=loop, tls_context=tls, authenticator=box.log_in, auth_require_tls=False
        ),
        "127.0.0.1",
        0,
    )
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with opened() as box:
        yield box


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def secure(authority: Authority) -> AsyncIterator[Mailbox]:
    """One that offers STARTTLS under a certificate that no machine trusts by itself."""
    issued = authority.issue("mail")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(issued.certificate_file, issued.key_file)
    async with opened(tls) as box:
        yield box


def mail_sink(port: int, **more: object) -> AlertSinkSettings:
    sink = AlertSinkSettings(
        name="mail",
        kind=AlertSinkKind.EMAIL,
        host="127.0.0.1",
        port=port,
        security=MailSecurity.NONE,
        sender="forebay@example.com",
        recipients=("ann@example.com", "ben@example.com"),
    )
    return msgspec.structs.replace(sink, **more)


async def test_mail_goes_to_everybody_and_holds_the_json(mailbox: Mailbox) -> None:
    assert await sent(mail_sink(mailbox.port)) == SinkOutcome()
    (envelope,) = mailbox.mails
    assert envelope.rcpt_tos == ["ann@example.com", "ben@example.com"]
    assert isinstance(envelope.content, bytes)
    mail = message_from_bytes(envelope.content)
    assert mail["Subject"] == "<b>A & B</b>"
    _, text, attached = mail.walk()
    message = msgspec.json.decode(bytes(attached.get_payload(decode=True)), type=AlertMessage)
    assert f"<{message.id}@example.com>" == mail["Message-ID"]
    assert "<b>A & B</b>" in str(text.get_payload())


async def test_mail_goes_over_starttls_and_logs_in_there(
    secure: Mailbox, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    assert await sent(mail_sink(secure.port, **OVER_TLS)) == SinkOutcome()
    assert secure.logins == [LoginPassword(b"forebay", b"hunter2")]
    assert len(secure.mails) == 1


async def test_a_mail_server_that_nobody_vouches_for_is_given_no_password(secure: Mailbox) -> None:
    outcome = await sent(mail_sink(secure.port, **OVER_TLS))
    assert (outcome.error or "").startswith("Its certificate is not trusted: ")
    assert "SSL_CERT_FILE" in (outcome.error or "")
    assert (secure.logins, secure.mails) == ([], [])


async def test_a_mail_server_without_starttls_is_given_no_password(mailbox: Mailbox) -> None:
    outcome = await sent(mail_sink(mailbox.port, **OVER_TLS))
    assert "STARTTLS extension not supported by server" in (outcome.error or "")
    assert (mailbox.logins, mailbox.mails) == ([], [])


async def test_a_password_that_is_refused_is_told(
    secure: Mailbox, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    secure.password = b"another"
    outcome = await sent(mail_sink(secure.port, **OVER_TLS))
    assert (outcome.error or "").startswith("The mail server answered 535")
    assert "hunter2" not in (outcome.error or "")
    assert secure.mails == []


@ON_SQLITE
async def test_whom_a_mail_server_refuses_is_kept_and_others_get_it_once(
    watched: WatchedLedger, mailbox: Mailbox
) -> None:
    mailbox.refused = {"ben@example.com": "550 No such person"}
    settings = told_to(mail_sink(mailbox.port), retry_seconds=(10,))
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(watched.leader(settings), seconds=60)
    for _ in range(3):
        await send_round(watched.sending(settings))
        watched.clock.advance(60)
    (kept,) = (await watched.catalogue.standing([])).undelivered
    assert kept.state is DeliveryState.DELIVERED
    assert kept.reason == "The mail server answered 550 to ben@example.com: No such person"
    assert [each.rcpt_tos for each in mailbox.mails] == [["ann@example.com"]]


async def test_whom_a_mail_server_refuses_for_now_is_tried_again(mailbox: Mailbox) -> None:
    mailbox.refused = {"ben@example.com": "451 Come back later"}
    outcome = await sent(mail_sink(mailbox.port))
    assert outcome.error == "The mail server answered 451 to ben@example.com: Come back later"


async def test_what_a_mail_server_refuses_with_is_told(mailbox: Mailbox) -> None:
    mailbox.answer = "552 Too much mail"
    outcome = await sent(mail_sink(mailbox.port))
    assert outcome.error == "The mail server answered 552: Too much mail"
    mailbox.refused = dict.fromkeys(("ann@example.com", "ben@example.com"), "550 Who?")
    outcome = await sent(mail_sink(mailbox.port))
    assert (outcome.error or "").startswith("The mail server answered 550 to ann@example.com: Who?")


async def test_a_mail_server_that_says_nothing_is_waited_for_its_time_only() -> None:
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        outcome = await sent(mail_sink(port, timeout_seconds=0.3))
    assert "mail" in (outcome.error or "")


async def test_an_address_with_a_line_break_is_an_error_and_no_header() -> None:
    outcome = await sent(mail_sink(1, sender="a@example.com\nBcc: b@example.com"))
    assert "cannot be handed over" in (outcome.error or "")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"security": MailSecurity.NONE}, "would send its password in plain text"),
        ({"password_env": None}, "has a username and no password"),
        ({"username": None}, "has a password and nobody to log in as"),
    ],
)
def test_settings_with_half_a_login_or_a_readable_one_are_refused(
    more: dict[str, Any], says: str
) -> None:
    login = {"username": "forebay", "password_env": "MAIL_PASSWORD"}
    starttls = {"security": MailSecurity.STARTTLS}
    assert [*mail_sink(587, **login, **starttls).faults()] == []
    (fault,) = mail_sink(587, **(login | starttls | more)).faults()
    assert says in fault
