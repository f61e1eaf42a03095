"""Logging a talk as a person does it: at a human pace, by keyboard alone, and by its names."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from crm.models.contacts import Contact
from crm.models.conversations import Conversation, FollowUp
from crm.models.places import Workplace
from crm.web import clock
from crm.web.db import unit_of_work
from tests import factories
from tests.browser.live import Live
from tests.factories import ALL

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

OpenPage = Callable[..., "Page"]

PHONE = {"width": 360, "height": 640}

# Seconds of somebody with one thumb: to take in a new page, to find and tap what is in sight, and
# to push the page up by a good half of a screen.
A_LOOK = 1.5
A_TAP = 1.2
A_SWIPE = 0.6
SWIPE = 400
AIM = 20.0

_IN_SIGHT = """one => {
  const box = one.getBoundingClientRect(), middle = box.top + box.height / 2;
  const above = document.elementFromPoint(box.left + box.width / 2, middle);
  return above !== null && (one === above || one.contains(above) || above.contains(one));
}"""


class _Thumb:
    """Taps what is in sight, swipes until it is, and counts the seconds that would have taken."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0
        self.seconds = A_LOOK

    def tap(self, what: Locator, *, new_page: bool = False) -> None:
        expect(what).to_be_visible()
        for _swipe in range(12):
            if what.evaluate(_IN_SIGHT):
                break
            self.page.evaluate("far => window.scrollBy(0, far)", SWIPE)
            self.seconds += A_SWIPE
        assert what.evaluate(_IN_SIGHT), "never came into sight"
        what.tap()
        self.taps += 1
        self.seconds += A_TAP + (A_LOOK if new_page else 0)

    def choose(self, word: str, *, of: str) -> None:
        group = self.page.get_by_role("group", name=of, exact=True)
        self.tap(group.locator(f".wc-choice:has(.wc-choice__word:text-is('{word}'))"))


def _somebody_spoken_to(live: Live) -> Any:
    """Store a person at the Mill with whom the rep talked last of all."""
    world = live.world
    assert world is not None
    now = clock.now()
    with live.app.app_context(), unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        person = factories.make_person(session, mill, f"Usual {uuid.uuid4().hex[:6]}")
        session.add(
            Conversation(
                contact_id=person.id,
                place_id=mill.id,
                held_by_id=world.rep.id,
                day=now.date() - timedelta(days=9),
                held_at=now - timedelta(days=9),
                recorded_at=now,
            )
        )
        return person


def _last_talk(live: Live, person: Any) -> Conversation:
    chosen = ALL.select(Conversation).where(Conversation.contact_id == person.id)
    found: Conversation = live.read(
        lambda session: session.scalars(chosen.order_by(Conversation.id.desc())).first()
    )
    return found


def test_a_usual_talk_takes_seven_taps_and_twenty_seconds_from_the_first_page(
    live: Live, open_page: OpenPage
) -> None:
    person = _somebody_spoken_to(live)
    page = open_page(**PHONE, has_touch=True, is_mobile=True)
    live.sign_in(page, "rep")
    page.goto(f"{live.address}/")
    thumb = _Thumb(page)
    thumb.tap(page.get_by_role("link", name="Log", exact=True), new_page=True)
    thumb.tap(page.get_by_role("link", name=person.known_as), new_page=True)
    thumb.choose("With us", of="Where do they stand?")
    thumb.choose("Pay", of="What matters to them?")
    thumb.choose("Join the union", of="What did you ask?")
    thumb.choose("Next week", of="When will you speak again?")
    thumb.tap(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Saved: talk with")).to_be_visible()
    talk = _last_talk(live, person)
    assert (talk.asked, talk.answer) == ("join", None)
    assert thumb.taps == 7
    assert thumb.seconds <= AIM, f"{thumb.seconds:.1f} s"


# By keyboard


_FOCUSED = """() => {
  const one = document.activeElement;
  const style = getComputedStyle(one.closest('label')?.querySelector('.wc-choice__face') ?? one);
  return {
    type: one.type ?? '', name: one.getAttribute('name') ?? '', id: one.id,
    words: (one.closest('label')?.innerText ?? one.innerText ?? '').trim(),
    ring: style.outlineStyle !== 'none' || style.boxShadow !== 'none',
  };
}"""


class _Keys:
    """Walks over a page by keys alone. What has the focus must show it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, key: str) -> dict[str, Any]:
        self.page.keyboard.press(key)
        found: dict[str, Any] = self.page.evaluate(_FOCUSED)
        return found

    def tab_to(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for _step in range(60):
            found = self.press("Tab")
            if wanted(found):
                assert found["ring"], f"no ring around {found}"
                return found
        raise AssertionError("the Tab key never came to it")

    def choose(self, name: str, word: str) -> None:
        """Go to a group of radio buttons, then by arrows to the one with this word."""
        found = self.tab_to(lambda one: one["name"] == name)
        for _step in range(12):
            if found["words"].split("\n")[-1] == word:
                return
            found = self.press("ArrowDown")
        raise AssertionError(f"no arrow came to {word}")


def test_a_talk_is_logged_by_keyboard_alone(live: Live, open_page: OpenPage) -> None:
    person = _somebody_spoken_to(live)
    page = open_page(width=1280)
    live.sign_in(page, "rep")
    page.goto(f"{live.address}/")
    keys = _Keys(page)
    assert keys.press("Tab")["words"] == "Skip to the main part"
    keys.tab_to(lambda one: one["words"] == "Log")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Who did you talk with?")
    keys.tab_to(lambda one: one["type"] == "search")
    page.keyboard.type(str(person.known_as))
    page.keyboard.press("Enter")
    # The person may stand on the page before the search, too.
    page.wait_for_url(re.compile(r"[?&]q="))
    expect(page.get_by_role("link", name=person.known_as)).to_be_visible()
    keys.tab_to(lambda one: one["words"] == person.known_as)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(str(person.known_as))
    keys.choose("rating", "With us")
    keys.tab_to(lambda one: one["name"] == "issues" and one["words"] == "Pay")
    page.keyboard.press("Space")
    keys.choose("asked", "Join the union")
    keys.choose("answer", "Not yet")
    keys.choose("again", "Next week")
    keys.tab_to(lambda one: one["words"] == "Save")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved: talk with")).to_be_visible()
    talk = _last_talk(live, person)
    assert (talk.asked, talk.answer) == ("join", "not_yet")
    promised = ALL.select(FollowUp).where(FollowUp.contact_id == person.id)
    assert len(live.read(lambda session: session.scalars(promised).all())) == 1


# By names, as a screen reader says them


def test_every_part_of_the_log_has_a_name_and_says_its_state(
    live_sqlite: Live, open_page: OpenPage
) -> None:
    page = open_page(**PHONE)
    live_sqlite.sign_in(page, "rep")
    page.goto(f"{live_sqlite.address}/log/{live_sqlite.ids['contact_id']}")
    name = live_sqlite.read(
        lambda session: session.scalars(
            ALL.select(Contact.known_as).where(Contact.public_id == live_sqlite.ids["contact_id"])
        ).one()
    )
    expect(page.get_by_role("heading", level=1, name=f"Talk with {name}")).to_be_visible()
    groups = {
        "Where do they stand?": ("radio", "1 Leads", "5 Blocks", "Not asked"),
        "How do we know?": ("radio", "They did it", "A guess"),
        "What matters to them?": ("checkbox", "Pay", "Something else"),
        "What did you ask?": ("radio", "Join the union", "Not noted"),
        "What did they say?": ("radio", "Yes", "Not yet", "No", "Not noted"),
        "When will you speak again?": ("radio", "Tomorrow", "Not set"),
    }
    for label, (role, *words) in groups.items():
        group = page.get_by_role("group", name=label, exact=True)
        expect(group).to_have_count(1)
        for word in words:
            expect(group.get_by_role(role, name=word, exact=True)).to_have_count(1)  # type: ignore[arg-type]
    # Nothing is chosen for anybody: what was not asked says so.
    for label, word in (
        ("Where do they stand?", "Not asked"),
        ("What did you ask?", "Not noted"),
        ("What did they say?", "Not noted"),
        ("When will you speak again?", "Not set"),
    ):
        chosen = page.get_by_role("group", name=label, exact=True).get_by_role("radio", name=word)
        expect(chosen.last).to_be_checked()
    for role in ("radio", "checkbox", "button", "link", "textbox", "searchbox", "combobox"):
        for one in page.get_by_role(role).all():  # type: ignore[arg-type]
            expect(one).not_to_have_accessible_name("")
    for landmark in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    for word in ("Save", "Finish later"):
        expect(page.get_by_role("button", name=word, exact=True)).to_have_count(1)
