"""Mail, handed to a server by SMTP."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from shared.alerts.telling.deliveries import SinkOutcome
from shared.alerts.telling.message import AlertMessage
from shared.settings.watching.alert_sinks import AlertSinkSettings, MailSecurity

_LONGEST_SUBJECT: Final = 200
_LONGEST_ERROR: Final = 300
_GRACE_SECONDS: Final = 5.0
_TRUST: Final = "Name the file of the authority that signed it in the variable SSL_CERT_FILE."
_FOR_GOOD: Final = 500
_Refused = Mapping[str, tuple[int, bytes]]
"""Code and words by address."""


class MailSink:
    """A thread speaks to the server, so that one that hangs keeps nothing else waiting; each step
    of the talk has the time limit, and so has the whole. Trusted is whom the machine trusts.
    """

    def __init__(self, settings: AlertSinkSettings) -> None:
        self._settings = settings

    async def send(self, message: AlertMessage, body: bytes) -> SinkOutcome:
        limit = self._settings.timeout_seconds
        try:
            mail = self._mail(message, body)  # an address may be none
            async with asyncio.timeout(limit + _GRACE_SECONDS):
                return _taken(await asyncio.to_thread(self._hand_over, mail))
        except TimeoutError:
            error = f"The mail server did not answer within {limit:g} s."
        except smtplib.SMTPRecipientsRefused as refused:
            error = _told_of(refused.recipients)
        except smtplib.SMTPResponseException as refused:
            words = _words(refused.smtp_error)
            error = f"The mail server answered {refused.smtp_code}: {words}"
        except ssl.SSLCertVerificationError as unknown:
            error = f"Its certificate is not trusted: {unknown.verify_message}. {_TRUST}"
        except (smtplib.SMTPException, OSError, ValueError) as failed:
            error = f"The mail cannot be handed over: {failed}"
        return SinkOutcome(error=error[:_LONGEST_ERROR])

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

    def _hand_over(self, mail: EmailMessage) -> _Refused:
        """Whom the server refused, where it took the mail for others. Nobody logs in before the
        way is as secret as the settings want it."""
        settings = self._settings
        limit, host = settings.timeout_seconds, settings.host or ""
        if settings.security is MailSecurity.TLS:
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                host, settings.port, timeout=limit, context=ssl.create_default_context()
            )
        else:
            client = smtplib.SMTP(host, settings.port, timeout=limit)
        with client:
            if settings.security is MailSecurity.STARTTLS:
                client.starttls(context=ssl.create_default_context())
            if settings.username is not None and settings.password is not None:
                client.login(settings.username, settings.password.reveal())
            return client.send_message(mail)


def _taken(refused: _Refused) -> SinkOutcome:
    """Who refuses somebody for good would do it again, and all others have the mail; who refuses
    for now is asked again, though others get the mail twice."""
    if not refused:
        return SinkOutcome()
    told = _told_of(refused)[:_LONGEST_ERROR]
    if all(code >= _FOR_GOOD for code, _ in refused.values()):
        return SinkOutcome(remark=told)
    return SinkOutcome(error=told)


def _told_of(refused: _Refused) -> str:
    said = (f"{code} to {address}: {_words(words)}" for address, (code, words) in refused.items())
    return f"The mail server answered {'; '.join(said)}"


def _words(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
