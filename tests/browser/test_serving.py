"""The server starts with and without a proxy in front, and names itself to nobody."""

from __future__ import annotations

from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.browser import live as serving


@pytest.mark.parametrize("proxies", [0, 1])
def test_the_server_starts_behind_any_number_of_proxies(tmp_path: Path, proxies: int) -> None:
    url = f"sqlite:///{tmp_path / 's.db'}"
    with serving.empty(url, tmp_path, PROXY_COUNT=proxies) as live:
        answer = urlopen(f"{live.address}/healthz")
        assert answer.status == 200
        assert answer.read() == b"ok\n"
        assert answer.headers["Server"] is None


def test_the_practice_copy_starts_filled(live_practice: serving.Live) -> None:
    page = urlopen(f"{live_practice.address}/practice").read().decode()
    assert "Choose whom to be" in page
    assert page.count('name="user"') == len(live_practice.users) > 4
