"""Logging a talk on a phone: taps counted, Save in sight, sent once, nothing typed is lost."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from crm.models.contacts import Contact
from crm.models.conversations import Assessment, Conversation
from tests import factories
from tests.browser.live import Live
from tests.factories import ALL

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

OpenPage = Callable[..., "Page"]

PHONE = {"width": 360, "height": 640}


class _Thumb:
    """Taps what is in sight, and counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0

    def tap(self, what: Locator) -> None:
        what.tap()
        self.taps += 1

    def choose(self, word: str, *, of: str) -> None:
        group = self.page.locator("fieldset").filter(has=self.page.locator("legend", has_text=of))
        self.tap(group.locator(f".wc-choice:has(.wc-choice__word:text-is('{word}'))"))

    def save(self) -> None:
        assert _save_is_in_sight(self.page)
        self.tap(self.page.get_by_role("button", name="Save"))
        self.page.get_by_text("Saved: talk with").wait_for()


def _phone(live: Live, open_page: OpenPage, who: str = "rep") -> Page:
    page = open_page(**PHONE, has_touch=True, is_mobile=True)
    live.sign_in(page, who)
    return page


def _somebody(live: Live, name: str) -> Any:
    """Store a person at the Mill whom no other test knows."""
    from crm.models.places import Workplace
    from crm.web.db import unit_of_work

    assert live.world is not None
    with live.app.app_context(), unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == live.world.mill.id))
        return factories.make_person(session, mill.one(), name)


def _talks(live: Live, person: Any) -> list[Conversation]:
    chosen = ALL.select(Conversation).where(Conversation.contact_id == person.id)
    return live.read(lambda session: list(session.scalars(chosen)))


def _save_is_in_sight(page: Page) -> bool:
    box = page.get_by_role("button", name="Save").bounding_box()
    height = page.evaluate("() => window.innerHeight")
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= height


def _field(page: Page, name: str) -> Locator:
    return page.locator(f"[name={name}]")


def test_the_shortest_talk_takes_four_taps(live: Live, open_page: OpenPage) -> None:
    person = _somebody(live, f"Shortest {uuid.uuid4().hex[:6]}")
    page = _phone(live, open_page)
    page.goto(f"{live.address}/")
    thumb = _Thumb(page)
    thumb.tap(page.get_by_role("link", name="Log", exact=True))
    page.goto(f"{live.address}/log?q={person.known_as}")  # Typing the name is no tap.
    thumb.tap(page.get_by_role("link", name=person.known_as))
    thumb.choose("With us", of="Where do they stand?")
    thumb.save()
    assert thumb.taps == 4
    talk = _talks(live, person)
    assert len(talk) == 1
    chosen = ALL.select(Assessment.rating).where(Assessment.contact_id == person.id)
    assert live.read(lambda session: session.scalars(chosen).all()) == [2]


def test_a_usual_talk_takes_seven_taps_at_most(live: Live, open_page: OpenPage) -> None:
    person = _somebody(live, f"Usual {uuid.uuid4().hex[:6]}")
    page = _phone(live, open_page)
    page.goto(f"{live.address}/log?q={person.known_as}")
    thumb = _Thumb(page)
    thumb.tap(page.get_by_role("link", name=person.known_as))
    thumb.choose("Unsure", of="Where do they stand?")
    thumb.choose("Pay", of="What matters to them?")
    thumb.choose("Join the union", of="What did you ask?")
    thumb.choose("Not yet", of="What did they say?")
    thumb.choose("Next week", of="When will you speak again?")
    thumb.save()
    assert thumb.taps == 7
    talk = _talks(live, person)[0]
    assert (talk.asked, talk.answer) == ("join", "not_yet")


def test_save_is_in_sight_wherever_the_form_is_scrolled(live: Live, open_page: OpenPage) -> None:
    page = _phone(live, open_page)
    page.goto(f"{live.address}/log/{live.ids['contact_id']}")
    page.locator("details.wc-opens summary").tap()
    bottom = page.evaluate("() => document.scrollingElement.scrollHeight")
    assert bottom > 2 * PHONE["height"]
    for y in range(0, bottom, 300):
        page.evaluate("y => window.scrollTo(0, y)", y)
        assert _save_is_in_sight(page), f"not in sight at {y}"


def test_a_double_tap_saves_once(live: Live, open_page: OpenPage) -> None:
    person = _somebody(live, f"Double {uuid.uuid4().hex[:6]}")
    page = _phone(live, open_page)
    page.goto(f"{live.address}/log/{person.public_id}")
    page.get_by_role("button", name="Save").dblclick(no_wait_after=True)
    page.get_by_text("Saved: talk with").wait_for()
    assert len(_talks(live, person)) == 1


def test_the_same_form_sent_again_is_kept_once_and_says_so(live: Live, open_page: OpenPage) -> None:
    person = _somebody(live, f"Again {uuid.uuid4().hex[:6]}")
    page = _phone(live, open_page)
    page.goto(f"{live.address}/log/{person.public_id}")
    sent_id = _field(page, "id").input_value()
    page.get_by_role("button", name="Save").tap()
    page.get_by_text("Saved: talk with").wait_for()
    page.goto(f"{live.address}/log/{person.public_id}")
    page.evaluate("id => { document.querySelector('[name=id]').value = id; }", sent_id)
    page.get_by_role("button", name="Save").tap()
    page.get_by_text("was saved before. It is kept once, as it was first sent.").wait_for()
    assert len(_talks(live, person)) == 1


def test_what_was_typed_is_still_there_after_the_session_was_lost(
    live: Live, open_page: OpenPage
) -> None:
    person = _somebody(live, f"Lost {uuid.uuid4().hex[:6]}")
    words = f"“Ask me after the meeting” {uuid.uuid4()}"
    page = _phone(live, open_page)
    _give_passphrase(live)
    page.goto(f"{live.address}/log/{person.public_id}")
    page.locator("details.wc-opens summary").tap()
    _field(page, "their_words").fill(words)
    page.locator(".wc-choice:has(.wc-choice__word:text-is('Pay'))").tap()
    page.context.clear_cookies()
    page.get_by_role("button", name="Save").tap()
    page.get_by_text("You are signed out. What you typed is kept.").wait_for()
    assert _talks(live, person) == []
    page.get_by_label("Sign-in name").fill("owenlog")
    page.get_by_label("Passphrase").fill(_PASSPHRASE)
    page.get_by_role("button", name="Sign in").tap()
    page.get_by_role("button", name="Save what I typed").tap()
    page.get_by_text("Saved: talk with").wait_for()
    talk = _talks(live, person)
    assert len(talk) == 1
    page.goto(f"{live.address}/talks/{talk[0].public_id}")
    expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_text("Pay", exact=True)).to_be_visible()


_PASSPHRASE = "nine grey geese over the weir"


def _give_passphrase(live: Live) -> None:
    from crm.features.accounts import passphrases
    from crm.models.accounts import UserAccount
    from crm.web.db import unit_of_work

    hashed = passphrases.hash_passphrase(_PASSPHRASE)
    with live.app.app_context(), unit_of_work() as session:
        rep = session.get(UserAccount, live.users["rep"])
        assert rep is not None
        rep.sign_in_name, rep.password_hash = "owenlog", hashed


def test_of_two_who_edit_a_person_the_second_sees_both_versions(
    live: Live, open_page: OpenPage
) -> None:
    person = _somebody(live, f"Two {uuid.uuid4().hex[:6]}")
    first = open_page(width=1280, height=800)
    live.sign_in(first, "organiser")
    second = _phone(live, open_page)
    address = f"{live.address}/people/{person.public_id}/details"
    first.goto(address)
    second.goto(address)
    _field(first, "full_name").fill("Saved by the first")
    first.get_by_role("button", name="Save").click()
    first.wait_for_url(re.compile(r"/people/[0-9a-f-]{36}$"))
    _field(second, "full_name").fill("Typed by the second")
    second.get_by_role("button", name="Save").tap()
    both = second.get_by_role("table", name="Both versions")
    both.wait_for()
    expect(both).to_contain_text("Saved by the first")
    expect(both).to_contain_text("Typed by the second")
    expect(_field(second, "full_name")).to_have_value("Typed by the second")
    stored = ALL.select(Contact.full_name).where(Contact.id == person.id)
    assert live.read(lambda session: session.scalars(stored).one()) == "Saved by the first"
    second.get_by_role("button", name="Save my version").tap()
    second.wait_for_url(re.compile(r"/people/[0-9a-f-]{36}$"))
    assert live.read(lambda session: session.scalars(stored).one()) == "Typed by the second"


# What the keyboard reaches is never under the bar


_HIDDEN = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const box = one.getBoundingClientRect();
  const fixed = [...document.querySelectorAll('.wc-bar, .wc-tabs')].filter(
    bar => getComputedStyle(bar).position === 'fixed' || getComputedStyle(bar).position === 'sticky'
  ).filter(bar => !bar.contains(one)).map(bar => bar.getBoundingClientRect());
  if (box.width <= 1 || box.height <= 1) {
    // A choice is a hidden radio button with a face: the face is what is seen.
    const face = one.closest('label');
    if (!face) return '';
    const seen = face.getBoundingClientRect();
    return fixed.some(bar => seen.top >= bar.top - 1 && seen.bottom <= bar.bottom + 1)
      ? face.outerHTML.slice(0, 100) : '';
  }
  const under = fixed.some(bar => box.top >= bar.top - 1 && box.bottom <= bar.bottom + 1);
  const out = box.bottom <= 0 || box.top >= window.innerHeight;
  return under || out ? one.outerHTML.slice(0, 100) : '';
}"""


@pytest.mark.parametrize("path", ["/", "log", "/people/new"])
def test_focus_is_never_hidden_under_the_bar(
    live_sqlite: Live, open_page: OpenPage, path: str
) -> None:
    page = open_page(**PHONE)
    live_sqlite.sign_in(page, "rep")
    page.goto(
        live_sqlite.address + (f"/log/{live_sqlite.ids['contact_id']}" if path == "log" else path)
    )
    page.evaluate(
        "() => document.querySelectorAll('main details').forEach(d => { d.open = true; })"
    )
    stops, hidden = 0, []
    for key in ("Tab", "Shift+Tab"):
        page.evaluate("() => { document.activeElement.blur(); }")
        for _ in range(120):
            page.keyboard.press(key)
            found = page.evaluate(_HIDDEN)
            if found is None:
                break
            stops += 1
            if found:
                hidden.append(f"{key}: {found}")
    assert stops > 15
    assert not hidden, "\n".join(hidden)
