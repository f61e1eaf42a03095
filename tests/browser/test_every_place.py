"""Every page about places, and the practice copy with its full lists and charts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.live import Live
from tests.browser.sweep import STRANGER, Stop, look_at_all, pages_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(300)


def test_every_page_about_places(live_sqlite: Live, open_page: Callable[..., Page]) -> None:
    stops = pages_of(live_sqlite, of_places=True)
    assert len(stops) > 25
    faults = look_at_all(live_sqlite, open_page, stops)
    assert not faults, "\n".join(faults)


def test_the_practice_copy_with_its_full_lists_and_charts(
    live_practice: Live, open_page: Callable[..., Page]
) -> None:
    site = live_practice.ids["place_id"]
    stops = [
        Stop(STRANGER, "/practice"),
        Stop("owen", "/"),
        Stop("owen", "/log"),
        Stop("owen", "/people?stand=not_asked"),
        Stop("danuta", "/"),
        Stop("ana", f"/places/{site}"),
        Stop("owen", f"/places/{site}/wall?view=meeting"),
        Stop("ana", f"/places/{site}/wall?stands=none"),
        Stop("ana", f"/places/{site}/wall?view=print"),
        Stop("ana", f"/places/{site}/wall?view=table&stands=12"),
        Stop("ana", f"/places/{site}/talk-list"),
        Stop("ana", "/dash?compare=2026-01-31"),
        Stop("ana", f"/dash/explain/{site}"),
        Stop("kasia", "/dash"),
        Stop("kasia", "/dash/print"),
        Stop("kasia", f"/reports/{site}"),
        Stop("kasia", f"/reports/{site}/print"),
        Stop("ade", "/admin/users"),
    ]
    faults = look_at_all(live_practice, open_page, stops)
    assert not faults, "\n".join(faults)
