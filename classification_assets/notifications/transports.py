"""Transports of messages: a webhook and e-mail, tried again where that may help, each without the other."""

from __future__ import annotations

import json
import smtplib
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from classification_assets.notifications.message import Message
from classification_assets.notifications.settings import Mail, Settings, host_of

TIMEOUT = 10.0
"""Seconds until an answer; three tries stay below the 60 s that a sensor has."""

PAUSES = (1.0, 3.0)
"""Seconds between the tries."""


def send(message: Message, settings: Settings, pauses: tuple[float, ...] = PAUSES) -> list[str]:
    """Send a message by all ways that are configured, at one time.

    Returns
    -------
    One sentence for each way that failed. It names the host, and never what may be a secret.
    """
    ways: list[tuple[str, Callable[[], None]]] = []
    if settings.webhook:
        ways.append((f"webhook at {host_of(settings.webhook)}", lambda: post(message, settings.webhook)))
    if (mail := settings.mail) is not None:
        ways.append((f"e-mail by {mail.host}:{mail.port}", lambda: send_mail(message, mail)))
    if not ways:
        return []
    with ThreadPoolExecutor(len(ways)) as threads:
        reasons = list(threads.map(lambda way: _tried(way[1], pauses), ways))
    return [
        f"{name}: {message.headline!r} was not sent: {reason}"
        for (name, _), reason in zip(ways, reasons, strict=True)
        if reason
    ]


def post(message: Message, url: str) -> None:
    """POST a message as JSON."""
    body = json.dumps(message.as_json()).encode()
    # The settings have refused what does not begin with http:// or https://.
    request = Request(url, body, {"Content-Type": "application/json; charset=utf-8"}, method="POST")  # noqa: S310
    with urlopen(request, timeout=TIMEOUT):  # noqa: S310
        pass


def send_mail(message: Message, mail: Mail) -> None:
    """Send a message by SMTP, encrypted if the server offers it."""
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = message.headline, mail.sender, ", ".join(mail.to)
    letter["Date"], letter["Message-ID"] = formatdate(), make_msgid(domain=mail.sender.partition("@")[2])
    letter.set_content(message.text)
    with smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT) as server:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if mail.user:
            server.login(mail.user, mail.password)
        server.send_message(letter)


def _tried(way: Callable[[], None], pauses: tuple[float, ...]) -> str:
    """Why a way failed, after all tries; empty if it did not."""
    reason, tries = "", 0
    for pause in (*pauses, None):
        tries += 1
        try:
            way()
            return ""
        except (OSError, HTTPException, smtplib.SMTPException, ValueError) as error:
            reason = _reason(error)
            if _is_final(error):
                break
        if pause is not None:
            time.sleep(pause)
    return f"{reason} ({tries} {'try' if tries == 1 else 'tries'})"


def _is_final(error: Exception) -> bool:
    """Whether another try would be answered in the same way: refused for what it is, not for when it came."""
    if isinstance(error, HTTPError):
        return 400 <= error.code < 500 and error.code not in (408, 429)
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code >= 500
    return isinstance(error, ValueError | smtplib.SMTPNotSupportedError)


def _reason(error: Exception) -> str:
    """An error in words of which none is the URL's or a password's."""
    if isinstance(error, HTTPError):
        return f"the server answered {error.code}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server answered {error.smtp_code} ({type(error).__name__})"
    cause = getattr(error, "reason", error)
    for found in (error, cause):
        if isinstance(found, ssl.SSLCertVerificationError):
            return "the server's certificate is not accepted"
    if isinstance(cause, OSError) and cause.strerror:
        return str(cause.strerror)
    return type(cause).__name__ if isinstance(cause, Exception) else type(error).__name__
