"""Messages reach real servers, are tried again where that helps, and failures tell no secret."""

import json
import shutil
import socket
import ssl
import subprocess

import pytest

from classification_assets.notifications.message import Message
from classification_assets.notifications.settings import Mail, Settings
from classification_assets.notifications.transports import send
from tests.notifications.servers import PASSWORD, Webhook, mail_server

MESSAGE = Message(
    "not_promoted", "moons", "1234", "worse by 0.02", ("moons/champion",), "http://here/runs/1234"
)
SOON = (0.01, 0.01)


def mail(port, **login):
    return Settings(mail=Mail(("a@example.org",), "dagster@example.org", "127.0.0.1", port, **login))


def test_a_webhook_gets_a_text_for_people_and_fields_for_programs():
    with Webhook().running() as hook:
        assert send(MESSAGE, Settings(hook.url), SOON) == []
    (received,) = hook.received
    assert received["text"].splitlines()[0] == "Not promoted: moons"
    del received["text"]
    assert received == {
        "event": "not_promoted",
        "experiment": "moons",
        "assets": ["moons/champion"],
        "run": "1234",
        "reason": "worse by 0.02",
        "url": "http://here/runs/1234",
    }
    assert hook.types == ["application/json; charset=utf-8"]


def test_a_server_that_is_busy_is_tried_again():
    with Webhook([503, 429, 200]).running() as hook:
        assert send(MESSAGE, Settings(hook.url), SOON) == []
    assert len(hook.received) == 3


def test_a_server_that_stays_down_is_given_up_without_telling_the_token():
    with Webhook([500]).running() as hook:
        (reason,) = send(MESSAGE, Settings(hook.url), SOON)
    assert len(hook.received) == 3
    assert "webhook at 127.0.0.1:" in reason
    assert "the server answered 500 (3 tries)" in reason
    assert "T0KEN" not in reason


def test_a_refusal_for_good_is_not_tried_again():
    with Webhook([404]).running() as hook:
        (reason,) = send(MESSAGE, Settings(hook.url), SOON)
    assert "answered 404 (1 try)" in reason
    assert len(hook.received) == 1


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_nobody_who_listens_is_told_by_host_and_reason():
    (reason,) = send(MESSAGE, Settings(f"http://127.0.0.1:{free_port()}/T0KEN"), SOON)
    assert "Connection refused" in reason
    assert "T0KEN" not in reason


def test_mail_arrives_with_subject_text_and_link():
    with mail_server() as (mailbox, port):
        assert send(MESSAGE, mail(port), SOON) == []
    (letter,) = mailbox.letters
    assert (letter["Subject"], letter["From"], letter["To"]) == (
        "Not promoted: moons",
        "dagster@example.org",
        "a@example.org",
    )
    assert "worse by 0.02" in letter.get_content()
    assert "http://here/runs/1234" in letter.get_content()


def test_mail_that_is_refused_for_now_is_tried_again():
    with mail_server(refusals=("451 later",)) as (mailbox, port):
        assert send(MESSAGE, mail(port), SOON) == []
    assert len(mailbox.letters) == 1


def test_mail_that_is_refused_for_good_is_told():
    with mail_server(refusals=("554 no",)) as (mailbox, port):
        (reason,) = send(MESSAGE, mail(port), SOON)
    assert "answered 554" in reason
    assert "(1 try)" in reason
    assert not mailbox.letters


@pytest.mark.parametrize(("password", "arrives"), [(PASSWORD, True), ("wr0ng", False)])
def test_mail_is_sent_as_the_user_that_is_set(password, arrives):
    with mail_server(login=True) as (mailbox, port):
        told = send(MESSAGE, mail(port, user="me", password=password), SOON)
    assert mailbox.users[0] == "me"
    assert bool(mailbox.letters) == arrives
    assert password not in json.dumps(told)
    if not arrives:
        (reason,) = told
        assert "answered 535 (SMTPAuthenticationError) (1 try)" in reason
    else:
        assert told == []


@pytest.fixture
def tls(tmp_path):
    """A certificate of 127.0.0.1 that nobody knows yet: the server's settings, and the file of the certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here, which makes the certificate")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=here -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(
        [*made.split(), "-out", certificate, "-keyout", key], check=True, stderr=subprocess.DEVNULL
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


def test_mail_is_encrypted_where_the_server_offers_it(tls, monkeypatch):
    context, certificate = tls
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(tls=context) as (mailbox, port):  # which takes no letter without
        assert send(MESSAGE, mail(port), SOON) == []
    assert len(mailbox.letters) == 1


def test_no_mail_goes_to_a_server_whose_certificate_nobody_knows(tls):
    with mail_server(tls=tls[0]) as (mailbox, port):
        (reason,) = send(MESSAGE, mail(port), SOON)
    assert "certificate" in reason.lower()
    assert not mailbox.letters


def test_one_way_that_fails_does_not_keep_the_other_from_being_used():
    with mail_server() as (mailbox, port), Webhook([500]).running() as hook:
        told = send(MESSAGE, Settings(hook.url, mail(port).mail), SOON)
    assert len(mailbox.letters) == 1
    assert len(told) == 1


@pytest.mark.parametrize("subject", ["moons\nBcc: all@example.org", "möns ☾"])
def test_a_subject_may_hold_anything(subject):
    with mail_server() as (mailbox, port):
        assert send(Message("failure", subject, "1", "ünlucky"), mail(port), SOON) == []
    assert mailbox.letters[0]["Subject"] == "Run failed: " + " ".join(subject.split())
    assert mailbox.letters[0]["Bcc"] is None


def test_a_long_reason_is_cut():
    assert len(Message("failure", "moons", "1", "x" * 100_000).text) < 3000
