"""Real servers that keep what they are sent: one of HTTP, one of SMTP."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

PASSWORD = "s3cret"


@dataclass
class Webhook:
    """An HTTP server that answers with some statuses, one after the other, the last one for ever."""

    statuses: list[int] = field(default_factory=lambda: [200])
    received: list[dict[str, Any]] = field(default_factory=list)
    types: list[str | None] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator[Webhook]:
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook.received.append(json.loads(body))
                webhook.types.append(self.headers["Content-Type"])
                status = webhook.statuses[min(len(webhook.received), len(webhook.statuses)) - 1]
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/services/T0KEN?key=T0KEN"
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


class _Mailbox:
    def __init__(self, refusals: list[str]) -> None:
        self.letters: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.users: list[str] = []
        self.refusals = refusals

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refusals:
            return self.refusals.pop(0)
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    def authenticator(
        self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        self.users.append(data.login.decode())
        # Not handled: aiosmtpd answers; else nobody would, and the client wait for its time to be over.
        return AuthResult(success=data.password.decode() == PASSWORD, handled=False)


@contextmanager
def mail_server(
    refusals: tuple[str, ...] = (), tls: ssl.SSLContext | None = None, login: bool = False
) -> Iterator[tuple[_Mailbox, int]]:
    """An SMTP server; it refuses the first letters in the given words. Yields its letters and its port."""
    mailbox = _Mailbox(list(refusals))
    options = {"authenticator": mailbox.authenticator, "auth_require_tls": False} if login else {}
    with socket.socket() as free:  # aiosmtpd connects to the port that it was given, so 0 will not do
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=port, tls_context=tls, require_starttls=tls is not None, **options
    )
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()
