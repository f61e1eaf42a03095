"""With scripts switched off everything still works: only the guard against a double tap is lost."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from crm.features.accounts import passphrases
from crm.models.accounts import UserAccount
from crm.models.contacts import Contact
from crm.models.conversations import Conversation
from crm.web.db import unit_of_work
from tests.browser.live import Live
from tests.factories import ALL

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]

PASSPHRASE = "five white swans by the lock"


def _plain(open_page: OpenPage) -> Page:
    return open_page(width=360, height=640, java_script_enabled=False)


def test_signing_in_logging_a_talk_and_signing_out(live: Live, open_page: OpenPage) -> None:
    hashed = passphrases.hash_passphrase(PASSPHRASE)
    with live.app.app_context(), unit_of_work() as session:
        rep = session.get(UserAccount, live.users["rep"])
        assert rep is not None
        rep.sign_in_name, rep.password_hash = "owenplain", hashed
    name = f"Plain {uuid.uuid4().hex[:6]}"
    page = _plain(open_page)
    page.goto(live.address)
    page.get_by_label("Sign-in name").fill("owenplain")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Log a talk", exact=True).click()
    page.get_by_role("link", name="Someone new").click()
    page.get_by_label("Name they use").fill(name)
    page.get_by_role("button", name="Save and log a talk").click()
    page.locator(".wc-choice:has(.wc-choice__word:text-is('With us'))").first.click()
    page.locator(".wc-choice:has(.wc-choice__word:text-is('Pay'))").click()
    page.locator("summary", has_text="More about the talk").click()
    page.get_by_label("Their words").fill("Come back on Monday.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text(f"Saved: talk with {name}.")).to_be_visible()
    chosen = (
        ALL.select(Conversation.id)
        .join(Contact, Contact.id == Conversation.contact_id)
        .where(Contact.known_as == name)
    )
    assert len(live.read(lambda session: session.execute(chosen).all())) == 1
    page.locator("details.wc-me summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto(f"{live.address}/people")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_density_is_filtered_by_its_form(live: Live, open_page: OpenPage) -> None:
    page = _plain(open_page)
    live.sign_in(page, "organiser")
    page.goto(f"{live.address}/dash")
    page.locator("summary", has_text="More to choose").click()
    page.get_by_label("As at").fill("2026-02-01")
    page.get_by_label("A line for each").select_option(label="Employer")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"as_at=2026-02-01"))
    expect(page.get_by_text("Density by employer, 1 February 2026")).to_have_count(1)
