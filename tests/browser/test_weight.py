"""How heavy pages are for a phone on a poor connection, packed as a server in front would do."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.live import Live

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

OpenPage = Callable[..., "Page"]

KB = 1024
FIRST_VISIT = 60 * KB
REPEAT_PAGE = 14 * KB
LOG_SHELL = 20 * KB
STYLE_SHEET = 14 * KB
SCRIPT = 5 * KB


class _Scales:
    """Weighs every answer that the browser really fetched, packed with gzip."""

    def __init__(self, page: Page) -> None:
        self.answers: list[Response] = []
        page.on("response", lambda answer: self.answers.append(answer))

    def take(self) -> dict[str, int]:
        """Return bytes by path since the last time."""
        found = {}
        for answer in self.answers:
            if answer.status == 200 and not answer.from_service_worker:
                packed = gzip.compress(answer.body(), compresslevel=6, mtime=0)
                found[answer.url.split("?")[0]] = len(packed)
        self.answers.clear()
        return found


def test_a_first_visit_and_the_pages_after_it_keep_to_their_weight(
    live_practice: Live, open_page: OpenPage
) -> None:
    # The worker that answers without signal would hide what a page weighs; it is weighed below.
    page = open_page(service_workers="block")
    live_practice.sign_in(page, "owen")
    scales = _Scales(page)
    page.goto(f"{live_practice.address}/", wait_until="networkidle")
    first = scales.take()
    assert len(first) >= 3
    for path in ("/phone/worker.js", "/phone/shell", "/static/offline.js"):
        answer = page.request.get(live_practice.address + path)
        first[path] = len(gzip.compress(answer.body(), compresslevel=6, mtime=0))
    assert sum(first.values()) <= FIRST_VISIT, first
    scripts = {path: size for path, size in first.items() if path.endswith(".js")}
    assert len(scripts) == 5
    assert max(scripts.values()) <= SCRIPT, scripts
    styles = [size for path, size in first.items() if path.endswith(".css")]
    assert len(styles) == 1
    assert styles[0] <= STYLE_SHEET
    too_heavy = {}
    for path in ("/", "/mine", "/log", "/people", "/places", "/account"):
        page.goto(live_practice.address + path, wait_until="networkidle")
        again = scales.take()
        # Style sheet, script and pictures come from the browser's own store.
        weight = again[live_practice.address + path]
        if weight > REPEAT_PAGE:
            too_heavy[path] = weight
    assert too_heavy == {}


@pytest.mark.parametrize("who", ["owen", "danuta"])
def test_the_log_form_keeps_to_its_weight(
    live_practice: Live, open_page: OpenPage, who: str
) -> None:
    page = open_page()
    live_practice.sign_in(page, who)
    page.goto(f"{live_practice.address}/log")
    with page.expect_response(lambda answer: "/log/" in answer.url) as form:
        page.locator(".wc-row__name").first.click()
    page.get_by_role("button", name="Save").wait_for()
    assert form.value.status == 200
    assert len(gzip.compress(form.value.body(), compresslevel=6, mtime=0)) <= LOG_SHELL
