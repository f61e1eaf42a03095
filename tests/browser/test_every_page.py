"""Every page but those about places, in both sizes and lights: usable, in its window, silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.live import Live
from tests.browser.sweep import look_at_all, pages_of, pages_of_errors

if TYPE_CHECKING:
    from playwright.sync_api import Page

# More than half of all pages, each at four widths and looks: minutes on a busy machine.
pytestmark = pytest.mark.timeout(600)


def test_every_page_about_people_talks_figures_and_accounts(
    live_sqlite: Live, open_page: Callable[..., Page]
) -> None:
    stops = pages_of(live_sqlite, of_places=False)
    assert len(stops) > 40
    faults = look_at_all(live_sqlite, open_page, stops)
    assert not faults, "\n".join(faults)


def test_every_page_that_says_what_went_wrong(
    live_sqlite: Live, open_page: Callable[..., Page]
) -> None:
    faults = look_at_all(live_sqlite, open_page, pages_of_errors())
    assert not faults, "\n".join(faults)
