"""Mail, handed to a server by SMTP."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from shared.alerts.telling.deliveries import SinkOutcome
from shared.alerts.telling.message import AlertMessage
from shared.settings.watching.alert_sinks import AlertSinkSettings, MailSecurity

_LONGEST_SUBJECT: Final = 200
_LONGEST_ERROR: Final = 300
_GRACE_SECONDS: Final = 5.0


class MailSink:
    """A thread speaks to the server, so that one that hangs keeps nothing else waiting; each step
    of the talk has the time limit, and so has the whole. `tls` is whom to trust; without it the
    authorities that the machine trusts.
    """

    def __init__(self, settings: AlertSinkSettings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls

    async def send(self, message: AlertMessage, body: bytes) -> SinkOutcome:
        limit = self._settings.timeout_seconds
        try:
            mail = self._mail(message, body)  # an address may be none
            async with asyncio.timeout(limit + _GRACE_SECONDS):
                await asyncio.to_thread(self._hand_over, mail)
        except TimeoutError:
            return SinkOutcome(error=f"The mail server did not answer within {limit:g} s.")
        except smtplib.SMTPResponseException as refused:
            said = refused.smtp_error
            words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
            error = f"The mail server answered {refused.smtp_code}: {words}"
            return SinkOutcome(error=error[:_LONGEST_ERROR])
        except (smtplib.SMTPException, OSError, ValueError) as failed:
            error = f"The mail cannot be handed over: {failed}"
            return SinkOutcome(error=error[:_LONGEST_ERROR])
        return SinkOutcome()

    def _mail(self, message: AlertMessage, body: bytes) -> EmailMessage:
        mail, settings = EmailMessage(), self._settings
        # A line break in a header would begin another one.
        mail["Subject"] = " ".join(message.title.split())[:_LONGEST_SUBJECT]
        mail["From"] = settings.sender
        mail["To"] = ", ".join(settings.recipients)
        mail["Date"] = format_datetime(message.created_at)
        # The same at every try: a mailbox that gets it twice shows it once.
        mail["Message-ID"] = f"<{message.id}@{(settings.sender or '').rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        mail.add_attachment(body, maintype="application", subtype="json", filename="alerts.json")
        return mail

    def _hand_over(self, mail: EmailMessage) -> None:
        settings = self._settings
        limit, host = settings.timeout_seconds, settings.host or ""
        if settings.security is MailSecurity.TLS:
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                host, settings.port, timeout=limit, context=self._trusted()
            )
        else:
            client = smtplib.SMTP(host, settings.port, timeout=limit)
        with client:
            if settings.security is MailSecurity.STARTTLS:
                client.starttls(context=self._trusted())
            if settings.username is not None and settings.password is not None:
                client.login(settings.username, settings.password.reveal())
            refused = client.send_message(mail)
            if refused:
                code, said = next(iter(refused.values()))
                raise smtplib.SMTPResponseException(code, said)

    def _trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context() if self._tls is None else self._tls
