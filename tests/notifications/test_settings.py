"""Settings of notifications are checked when they are read, and show no secret."""

import pytest

from classification_assets.notifications.settings import Settings, host_of

MAIL = {
    "CLASSIFICATION_ASSETS_EMAIL_TO": "a@example.org, b@example.org",
    "CLASSIFICATION_ASSETS_EMAIL_FROM": "dagster@example.org",
    "CLASSIFICATION_ASSETS_SMTP": "mail.example.org:587",
}


def read(**variables):
    return Settings.from_environment(
        {f"CLASSIFICATION_ASSETS_{name}": value for name, value in variables.items()}
    )


def test_nothing_set_is_nothing_configured():
    assert not Settings.from_environment({}).configured


def test_mail_goes_to_several_people():
    mail = Settings.from_environment(MAIL).mail
    assert (mail.to, mail.host, mail.port) == (("a@example.org", "b@example.org"), "mail.example.org", 587)


def test_a_run_has_a_link_only_where_the_web_server_is_known():
    assert read(WEBSERVER="http://here:3000/").run_url("abc") == "http://here:3000/runs/abc"
    assert read().run_url("abc") == ""


@pytest.mark.parametrize(
    "url", ["hooks.example.org/x", "ftp://example.org", "https://", "http://a b", "http://h:99999999/x"]
)
def test_a_webhook_that_is_no_url_is_refused_without_what_may_be_its_token(url):
    with pytest.raises(ValueError, match=r"_WEBHOOK must be a URL .* got") as refused:
        read(WEBHOOK=f"{url}/T0KEN")
    assert "T0KEN" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SMTP", "mail.example.org", "got 'mail.example.org'"),
        ("SMTP", "mail.example.org:smtp", "got 'mail.example.org:smtp'"),
        ("SMTP", "mail.example.org:0", "1 to 65535"),
        ("SMTP", "", "got ''"),
        ("EMAIL_FROM", "", "_EMAIL_FROM must be an address"),
        ("EMAIL_TO", "somebody", "several with commas"),
        ("SMTP_USER", "me", "no CLASSIFICATION_ASSETS_SMTP_PASSWORD"),
    ],
)
def test_a_wrong_setting_of_mail_is_refused_with_its_name_and_value(variable, value, told):
    with pytest.raises(ValueError, match=f"CLASSIFICATION_ASSETS_{variable}") as refused:
        Settings.from_environment(MAIL | {f"CLASSIFICATION_ASSETS_{variable}": value})
    assert told in str(refused.value)


def test_settings_show_no_secret():
    secrets = {"CLASSIFICATION_ASSETS_SMTP_USER": "me", "CLASSIFICATION_ASSETS_SMTP_PASSWORD": "s3cret"}
    hook = {"CLASSIFICATION_ASSETS_WEBHOOK": "https://hooks.example.org/T0KEN"}
    shown = repr(Settings.from_environment(MAIL | secrets | hook))
    assert "s3cret" not in shown
    assert "T0KEN" not in shown


def test_the_host_of_a_url_is_without_user_path_and_query():
    assert host_of("https://me:s3cret@example.org:8443/T0KEN?key=T0KEN") == "example.org:8443"
