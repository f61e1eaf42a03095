"""Takes the pictures of the README from the practice copy: python tools/screenshots.py

The practice people are invented for one fixed day, in a temporary database, so the same version of
Shopfloor gives the same pictures. They go to docs/pictures/.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

from crm import cli  # noqa: E402
from crm.app import create_app, load_settings  # noqa: E402
from crm.features.practice.service import PracticeWorld  # noqa: E402
from crm.web import clock, migrating, serving  # noqa: E402

PICTURES = HERE / "docs" / "pictures"
NOON = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
HEAVIEST = 150 * 1024  # bytes: the README must open on a phone too


@dataclass(frozen=True)
class Picture:
    """One picture: its file, whose eyes, where, and the size of the window in CSS pixels."""

    file: str
    who: str
    path: str
    width: int
    height: int
    steps: tuple[str, ...] = ()


def pictures_of(made: PracticeWorld) -> list[Picture]:
    """Return what to take. steps: the words of choices to tap before the picture."""
    site = made.workplaces[0][1]
    return [
        Picture("log-phone.png", "Danuta", "/log", 360, 740, ("With us", "Pay")),
        Picture("density.png", "Ana", "/dash", 1280, 1120),
        Picture("workplace.png", "Ana", f"/places/{site}", 1280, 960),
        Picture("wall.png", "Ana", f"/places/{site}/wall", 1280, 1000),
        Picture("today-phone.png", "Danuta", "/", 360, 740),
    ]


@contextmanager
def practice_copy(folder: Path) -> Iterator[tuple[str, PracticeWorld]]:
    """Serve a practice copy of the fixed day from the folder; yield its address and its people."""
    os.environ["SHOPFLOOR_INSTANCE"] = str(folder)
    for name in ("DATABASE_URL", "SHOPFLOOR_DATABASE_URL", "SHOPFLOOR_PRACTICE_DATABASE_URL"):
        # Nothing but the temporary folder may be touched, whatever the shell is set to.
        os.environ.pop(name, None)
    clock.now = lambda: NOON
    app: Flask = create_app(load_settings(practice=True))
    with app.app_context():
        migrating.upgrade()
        made = cli.fill_practice(today=NOON.date(), now=NOON)
    server: Any = serving.bind(app, host="127.0.0.1", port=0, threads=2)
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://127.0.0.1:{server.effective_port}", made


def take(browser: Browser, address: str, picture: Picture, folder: Path) -> Path:
    """Take one picture and return its file."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        locale="en-GB",
        timezone_id="Europe/London",
        reduced_motion="reduce",
        device_scale_factor=2 if picture.width < 600 else 1,
    )
    page = context.new_page()
    page.goto(f"{address}/practice")
    page.get_by_role("button", name=f"Be {picture.who}").first.click()
    page.goto(address + picture.path)
    if picture.path == "/log":
        page.locator(".wc-row__name").first.click()
        page.get_by_role("button", name="Save").wait_for()
    for word in picture.steps:
        page.locator(f".wc-choice:has(.wc-choice__word:text-is('{word}'))").first.click()
    _to_the_top(page)
    file = folder / picture.file
    page.screenshot(path=str(file))
    context.close()
    return file


def _to_the_top(page: Page) -> None:
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")


def main() -> int:
    """Take all pictures. Returns 1 when one is too heavy or the browser is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=PICTURES, help="Folder to write to.")
    folder: Path = parser.parse_args().to
    chromium = os.environ.get("CRM_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("Chromium is missing. Install it with: apt install chromium")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    heavy = False
    with (
        tempfile.TemporaryDirectory() as place,
        practice_copy(Path(place)) as (address, made),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--disable-gpu", "--hide-scrollbars", *sandbox]
        )
        for picture in pictures_of(made):
            file = take(browser, address, picture, folder)
            size = file.stat().st_size
            heavy = heavy or size > HEAVIEST
            print(f"{file.name}: {size:,} bytes{' (too heavy)' if size > HEAVIEST else ''}")
        browser.close()
    return int(heavy)


if __name__ == "__main__":
    raise SystemExit(main())
