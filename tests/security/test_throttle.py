"""Nobody gets more tries at a passphrase by saying that they come from somewhere else."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from crm.app import create_app
from crm.features.accounts import passphrases
from crm.models.accounts import SignInAttempt
from crm.web import migrating, serving
from crm.web.db import db, unit_of_work
from tests.conftest import app_settings
from tests.features.accounts.signing import CHEAP

Networks = Callable[..., int]


@contextmanager
def _served(folder: Path, proxies: int) -> Iterator[tuple[Any, int]]:
    settings = app_settings(
        f"sqlite:///{folder / 'throttle.db'}", folder, PROXY_COUNT=proxies, WTF_CSRF_ENABLED=True
    )
    app = create_app(settings)
    with app.app_context():
        migrating.upgrade()
    server: Any = serving.bind(app, host="127.0.0.1", port=0, threads=2)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield app, int(server.effective_port)
    finally:
        server.close()
        thread.join(10)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def _try(port: int, name: str, headers: dict[str, str]) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/sign-in")
    page = connection.getresponse()
    text = page.read().decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)
    assert token is not None
    cookie = (page.getheader("Set-Cookie") or "").split(";")[0]
    fields = {"name": name, "passphrase": "wrong words here", "csrf_token": token.group(1)}
    sent = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", **headers}
    connection.request("POST", "/sign-in", urlencode(fields), sent)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Networks]:
    """networks(0, {...}, {...}) tries once with each set of headers, and counts the networks."""
    monkeypatch.setattr(passphrases, "_HASHER", CHEAP)
    passphrases._nobody.cache_clear()

    def _count(proxies: int, *requests: dict[str, str]) -> int:
        with _served(tmp_path, proxies) as (app, port):
            for headers in requests:
                assert _try(port, "nobody", headers) == 422
            with app.app_context(), unit_of_work(read_only=True) as session:
                buckets = session.scalars(sa.select(SignInAttempt.bucket).distinct()).all()
                # One of the buckets is that of the name.
                return len(buckets) - 1

    yield _count
    passphrases._nobody.cache_clear()


_FROM = ("198.51.100.1", "203.0.113.1", "192.0.2.1")


def test_without_a_proxy_a_made_up_address_is_not_believed(networks: Networks) -> None:
    headers = [
        {
            "X-Forwarded-For": address,
            "Forwarded": f"for={address}",
            "X-Real-IP": address,
            "True-Client-IP": address,
        }
        for address in _FROM
    ]
    assert networks(0, *headers) == 1


def test_behind_one_proxy_only_the_address_that_the_proxy_wrote_counts(
    networks: Networks,
) -> None:
    # The proxy adds the last address; all before it came from whoever sent the request.
    same = [{"X-Forwarded-For": f"{address}, 198.51.100.200"} for address in _FROM]
    assert networks(1, *same) == 1


def test_behind_one_proxy_people_of_different_networks_are_told_apart(networks: Networks) -> None:
    assert networks(1, *({"X-Forwarded-For": address} for address in _FROM)) == 3
