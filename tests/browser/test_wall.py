"""The wall chart by hand: the keyboard, the slider, the way to hide, and no scripts at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.live import Live

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _open(live: Live, page: Page, query: str = "") -> None:
    assert live.world is not None
    live.sign_in(page, "rep")
    page.goto(f"{live.address}/places/{live.world.mill.public_id}/wall{query}")


def test_a_tile_logs_a_talk_and_its_menu_moves_the_person_by_keyboard_alone(
    live_sqlite: Live, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    _open(live_sqlite, page)
    tile = page.get_by_role("button", name=re.compile("Unsure, .*Tomasz K"))
    tile.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Talk with Tomasz K")).to_be_visible()
    page.go_back()
    tile.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/jobs/[0-9a-f-]+/move$"))


def test_the_slider_goes_back_in_time_when_the_hand_rests(
    live_sqlite: Live, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    _open(live_sqlite, page)
    page.get_by_label("Go back in time").focus()
    for _press in range(3):
        page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(r"as_at=\d{4}-\d\d-\d\d"))
    expect(page.get_by_text("This is the wall of an earlier day")).to_be_visible()
    expect(page.get_by_label("Go back in time")).to_have_value("-3")


def test_three_times_shift_hides_the_wall_and_other_keys_do_not(
    live_sqlite: Live, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    _open(live_sqlite, page, "?view=meeting")
    for key in ("Shift", "Shift", "a", "Shift"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("view=meeting"))
    page.keyboard.press("Shift")
    page.keyboard.press("Shift")
    expect(page).to_have_url(re.compile("/hide$"))


def test_without_scripts_the_day_can_be_chosen_and_no_dead_slider_is_shown(
    live_sqlite: Live, open_page: Callable[..., Page]
) -> None:
    page = open_page(java_script_enabled=False)
    _open(live_sqlite, page)
    expect(page.get_by_label("Go back in time")).to_be_hidden()
    page.get_by_label("As at").fill("2026-02-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("As at 1 February 2026")).to_be_visible()
