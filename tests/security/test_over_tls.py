"""Over TLS: what browsers leave out because of our own headers must not lock people out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.app import create_app
from crm.web import migrating
from crm.web.db import db
from tests import factories
from tests.conftest import app_settings

HTTPS = "https://crm.example.org"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Flask]:
    """The app as a proxy with TLS in front serves it, with the check of form tokens on."""
    app = create_app(
        app_settings(
            f"sqlite:///{tmp_path / 'tls.db'}",
            tmp_path,
            PUBLIC_URL=HTTPS,
            TRUSTED_HOSTS_LIST=["crm.example.org"],
            PROXY_COUNT=1,
            WTF_CSRF_ENABLED=True,
        )
    )
    with app.app_context():
        migrating.upgrade()
        factories.make_world()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


# What a browser sends with a form over TLS: our Referrer-Policy keeps the Referer back, and makes
# the Origin "null".
_FROM_A_BROWSER = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "Origin": "null",
    "Sec-Fetch-Site": "same-origin",
}


def _token(text: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)
    assert found is not None
    return found.group(1)


def _page(client: FlaskClient) -> str:
    return client.get("/sign-in", base_url=HTTPS, headers=_FROM_A_BROWSER).text


def test_a_form_sent_over_tls_without_a_referer_is_taken(served: Flask) -> None:
    client = served.test_client()
    data = {"name": "nobody", "passphrase": "wrong words here", "csrf_token": _token(_page(client))}
    answer = client.post("/sign-in", base_url=HTTPS, headers=_FROM_A_BROWSER, data=data)
    assert answer.status_code == 422
    assert "The sign-in name or the passphrase is wrong. Check both and try again." in answer.text


@pytest.mark.parametrize(
    "changed",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://crm.example.org"},
        {"Origin": "https://crm.example.org.evil.example"},
        {"Origin": "https://crm.example.org:8443"},
    ],
)
def test_a_form_sent_by_another_site_is_refused_even_with_a_good_token(
    served: Flask, changed: dict[str, str]
) -> None:
    client = served.test_client()
    data = {"name": "nobody", "passphrase": "wrong words here", "csrf_token": _token(_page(client))}
    headers = {**_FROM_A_BROWSER, **changed}
    assert client.post("/sign-in", base_url=HTTPS, headers=headers, data=data).status_code == 403


@pytest.mark.parametrize("token", ["", "made-up"])
def test_a_form_without_its_token_is_refused(served: Flask, token: str) -> None:
    client = served.test_client()
    _page(client)
    data = {"name": "nobody", "passphrase": "wrong words here", "csrf_token": token}
    answer = client.post("/sign-in", base_url=HTTPS, headers=_FROM_A_BROWSER, data=data)
    assert answer.status_code == 400


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_another_host_name_is_refused_so_no_link_can_point_elsewhere(
    served: Flask, header: str
) -> None:
    headers = {"X-Forwarded-Proto": "https", header: "evil.example"}
    base = "https://evil.example" if header == "Host" else HTTPS
    answer = served.test_client().get("/sign-in", base_url=base, headers=headers)
    assert answer.status_code == 400
    assert "evil.example" not in answer.text


def test_the_cookie_over_tls_is_bound_to_the_host(served: Flask) -> None:
    answer = served.test_client().get("/sign-in", base_url=HTTPS, headers=_FROM_A_BROWSER)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-s=")
    assert set(cookie.split("; ")[1:]) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
