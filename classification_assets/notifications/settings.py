"""Settings of the notifications: environment variables, since secrets belong into no YAML."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_PREFIX = "CLASSIFICATION_ASSETS_"
WEBHOOK = f"{_PREFIX}WEBHOOK"
EMAIL_TO = f"{_PREFIX}EMAIL_TO"
EMAIL_FROM = f"{_PREFIX}EMAIL_FROM"
SMTP = f"{_PREFIX}SMTP"
SMTP_USER = f"{_PREFIX}SMTP_USER"
SMTP_PASSWORD = f"{_PREFIX}SMTP_PASSWORD"
WEBSERVER = f"{_PREFIX}WEBSERVER"


@dataclass(frozen=True)
class Mail:
    """An SMTP server, and the people that it brings messages to."""

    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Settings:
    """Ways by which messages go out.

    Attributes
    ----------
    webhook : str
        A URL, with its token; empty if there is none.
    mail : Mail or None
    webserver : str
        The base of links to runs; empty if it is not known.
    """

    webhook: str = field(default="", repr=False)
    mail: Mail | None = None
    webserver: str = ""

    @property
    def configured(self) -> bool:
        return bool(self.webhook) or self.mail is not None

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> Settings:
        """Read and check the settings.

        Raises
        ------
        ValueError
            If one is wrong or missing; the message names the variable, its value (of a webhook only the host, as the
            rest may be a secret) and what would be right.
        """
        webhook, webserver = (_url(variables, name) for name in (WEBHOOK, WEBSERVER))
        return cls(webhook, _mail(variables), webserver.rstrip("/"))

    def run_url(self, run: str) -> str:
        """Where the web server shows a run; empty if it is not known where that is."""
        return f"{self.webserver}/runs/{run}" if self.webserver else ""


def host_of(url: str) -> str:
    """A URL's host and port, which hold no secret."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "a URL that cannot be read"


def _url(variables: Mapping[str, str], name: str) -> str:
    url = variables.get(name, "").strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        right &= not any(letter.isspace() for letter in url)
    except ValueError:
        right = False
    if not right:
        # A token stands in a URL's path or query; where no URL can be told, none of it is shown but its beginning.
        shown = url.split("?")[0] if name == WEBSERVER else f"{url[:8]}…"
        raise ValueError(
            f"{name} must be a URL that begins with http:// or https:// and a host, got {shown!r}"
        )
    return url


def _mail(variables: Mapping[str, str]) -> Mail | None:
    to, sender, server, user, password = (
        variables.get(name, "").strip() for name in (EMAIL_TO, EMAIL_FROM, SMTP, SMTP_USER, SMTP_PASSWORD)
    )
    if not to:
        return None
    addresses = tuple(address.strip() for address in to.split(","))
    for name, address in [*((EMAIL_TO, address) for address in addresses), (EMAIL_FROM, sender)]:
        before, at, after = address.partition("@")
        if not (before and at and after) or any(letter.isspace() for letter in address):
            several = ", or several with commas between" if name == EMAIL_TO else ""
            raise ValueError(
                f"{name} must be an address such as people@example.org{several}, got {address!r}"
            )
    host, colon, port = server.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 2**16):
        raise ValueError(
            f"{SMTP} must be host:port with a port from 1 to 65535, as in mail.example.org:587, got {server!r}"
        )
    if bool(user) != bool(password):
        missing = SMTP_PASSWORD if user else SMTP_USER
        raise ValueError(f"{SMTP_USER} and {SMTP_PASSWORD} are needed together, got no {missing}")
    return Mail(addresses, sender, host.strip("[]"), int(port), user, password)
