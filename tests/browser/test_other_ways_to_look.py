"""Pages from right to left, and in the colours that a reader forces on all pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser import live as serving
from tests.browser.live import Live
from tests.browser.looking import Watch, access_faults, too_wide
from tests.browser.sweep import MAIN, open_everything
from tools.messages import write_test_language

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]

_MORE = (
    *("conversations.log", "contacts.show", "workplaces.show", "density.explain", "contacts.add"),
    *("wallchart.show", "ties.cover", "turf.site", "issues.show", "cases.show"),
    *("sheets.show", "conversations.type_sheet"),
)


@pytest.fixture(scope="module")
def live_from_right(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The small world in the test language, which is written from right to left."""
    folder = tmp_path_factory.mktemp("right")
    write_test_language(folder / "words", "ar")
    settings = {"LANGUAGES": ["ar"], "TRANSLATIONS": str(folder / "words")}
    with serving.small_world(f"sqlite:///{folder / 'r.db'}", folder, **settings) as found:
        yield found


def test_pages_from_right_to_left_fit_and_are_usable(
    live_from_right: Live, open_page: OpenPage
) -> None:
    page = open_page(width=320, height=640)
    live_from_right.sign_in(page, "organiser")
    watch = Watch(page, live_from_right.address)
    paths = live_from_right.paths()
    faults = []
    for endpoint in (*MAIN, *_MORE):
        page.goto(live_from_right.address + paths[endpoint])
        assert page.evaluate("() => document.documentElement.dir") == "rtl"
        height = page.evaluate("() => document.scrollingElement.scrollHeight")
        page.set_viewport_size({"width": 320, "height": min(height + 80, 8000)})
        open_everything(page)
        seen = [*too_wide(page), *access_faults(page), *watch.take()]
        faults += [f"{endpoint}: {fault}" for fault in seen]
        page.set_viewport_size({"width": 320, "height": 640})
    assert not faults, "\n".join(faults)


def test_in_forced_colours_the_five_answers_still_differ_and_the_choice_is_seen(
    live_sqlite: Live, open_page: OpenPage
) -> None:
    page = open_page(width=360, height=740, forced_colors="active")
    live_sqlite.sign_in(page, "rep")
    page.goto(f"{live_sqlite.address}/log/{live_sqlite.ids['contact_id']}")
    group = page.locator("#rating-group")
    chosen = group.locator(".wc-choice:has(:checked) .wc-choice__face")
    other = group.locator(".wc-choice:not(:has(:checked)) .wc-choice__face").first
    look = """one => { const s = getComputedStyle(one);
      return [s.backgroundColor, s.borderColor, s.borderWidth, s.outlineStyle].join(' '); }"""
    assert chosen.evaluate(look) != other.evaluate(look)
    tiles = group.locator(".wc-tile").all()
    assert [tile.inner_text() for tile in tiles] == ["1", "2", "3", "4", "5", "?"]
    for tile in tiles:
        assert tile.evaluate("one => getComputedStyle(one).borderStyle") != "none"
