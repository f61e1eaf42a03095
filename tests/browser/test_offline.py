"""The phone without signal: every talk arrives once, nothing is readable on it, access ends it."""

from __future__ import annotations

import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Error, expect

from crm.features.conversations import outbox
from crm.models.accounts import AccessGrant, UserAccount
from crm.models.ballots import Ballot, VoteTold
from crm.models.campaigns import ListEntry, Participation
from crm.models.conversations import Conversation, ConversationNote, KeptTalk
from crm.web.db import unit_of_work
from tests import factories
from tests.browser.airwaves import Line, line
from tests.browser.live import Live
from tests.browser.looking import access_faults, too_wide
from tests.factories import ALL

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CODE = "lapwing 2047"


@pytest.fixture
def air(live_sqlite: Live) -> Iterator[Line]:
    """A line to the served app."""
    with line(live_sqlite.address) as laid:
        yield laid


def _until(page: Page, question: str) -> None:
    """Ask the page until it says yes. Its own waiting does not wait for promises."""
    ends = time.monotonic() + 15
    while not page.evaluate(question):
        assert time.monotonic() < ends, question
        page.wait_for_timeout(50)


class _Phone:
    """A browser with a memory of its own, which can be killed and started again."""

    def __init__(self, browser: Browser, live: Live, air: Line, folder: Path) -> None:
        self.browser, self.live, self.air, self.folder = browser, live, air, folder
        self.page = self.start()

    def start(self) -> Page:
        chromium = self.browser.browser_type
        self.context: BrowserContext = chromium.launch_persistent_context(
            str(self.folder),
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox"],
            viewport={"width": 360, "height": 640},
        )
        self.page = self.context.pages[0] if self.context.pages else self.context.new_page()
        return self.page

    def kill(self) -> None:
        subprocess.run(["pkill", "-9", "-f", f"user-data-dir={self.folder}"], check=False)
        with suppress(Error):
            self.context.close()

    def sign_in(self, who: str = "rep") -> None:
        at_the_line = Live(
            self.live.app, self.air.address, self.live.world, self.live.ids, self.live.users
        )
        at_the_line.sign_in(self.page, who)

    def open(self, path: str) -> None:
        self.page.goto(self.air.address + path)

    def get_ready(self) -> None:
        """Sign in and set the code; the shell and the list are kept from then on."""
        self.sign_in()
        self.open("/phone")
        self.page.evaluate("() => navigator.serviceWorker.ready.then(() => 1)")
        self.page.get_by_label("New code").fill(CODE)
        self.page.get_by_label("The code again").fill(CODE)
        self.page.get_by_role("button", name="Keep my list here").click()
        expect(self.page.get_by_text("Your list now opens without signal")).to_be_visible()
        _until(self.page, "() => Vault.get('list').then(Boolean)")
        _until(self.page, "() => caches.match('/phone/shell').then(Boolean)")

    def unlock(self, path: str = "/mine") -> None:
        self.open(path)
        self.page.get_by_label("Your code").fill(CODE)
        self.page.get_by_role("button", name="Open").click()
        expect(self.page.locator("#people li").first).to_be_visible()

    def log(self, at: int, words: str = "") -> None:
        people = self.page.locator("#people li a")
        people.nth(at % people.count()).click()
        word = ("Leads", "With us", "Unsure")[at % 3]
        self.page.locator(
            f"#view-talk .wc-choice:has(.wc-choice__word:text-is('{word}'))"
        ).first.click()
        if words:
            self.page.locator("#view-talk summary").click()
            self.page.get_by_label("Their words").fill(words)
        self.page.get_by_role("button", name="Save").click()
        expect(self.page.get_by_text("Kept on this phone.")).to_be_in_viewport()
        expect(self.page.locator("#view-list")).to_be_visible()

    def waiting(self) -> int:
        return int(
            self.page.evaluate(
                "() => Vault.talks().then(t => t.filter(o => o.state === 'ready').length)"
            )
        )

    def send_now(self) -> None:
        """Press the button, unless the phone was faster and there is nothing left to send."""
        with suppress(Error):
            self.page.get_by_role("button", name="Send now").click(timeout=2000)

    def all_sent(self) -> None:
        _until(
            self.page, "() => Vault.talks().then(t => t.length && t.every(o => o.state === 'sent'))"
        )


@pytest.fixture
def phone(browser: Browser, live_sqlite: Live, air: Line, tmp_path: Path) -> Iterator[_Phone]:
    """A phone that is signed in as the rep and ready for no signal."""
    one = _Phone(browser, live_sqlite, air, tmp_path / "phone")
    one.get_ready()
    try:
        yield one
    finally:
        one.kill()


def _ids(live: Live) -> list[uuid.UUID]:
    return live.read(lambda session: list(session.scalars(ALL.select(Conversation.public_id))))


def _new(live: Live, before: list[uuid.UUID]) -> list[uuid.UUID]:
    return [one for one in _ids(live) if one not in set(before)]


def _on_disk(folder: Path) -> bytes:
    # The settings of the browser name the address we opened; what counts is what the site kept.
    parts = ("IndexedDB", "Service Worker", "Cache", "Local Storage", "Session Storage")
    files = [one for part in parts for one in folder.glob(f"**/{part}/**/*") if one.is_file()]
    assert files
    return b"".join(one.read_bytes() for one in files)


def test_twenty_talks_without_signal_survive_a_killed_browser_and_arrive_once(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    before = _ids(live_sqlite)
    words = "Zanzibar canary words"
    air.hang_up()
    phone.unlock()
    names = phone.page.locator("#people li a").all_text_contents()
    for at in range(20):
        phone.log(at, words if at == 7 else "")
    made = set(phone.page.evaluate("() => Vault.talks().then(t => t.map(o => o.id))"))
    assert len(made) == phone.waiting() == 20
    assert _new(live_sqlite, before) == []
    phone.kill()
    disk = _on_disk(phone.folder)
    for secret in (words, CODE, *names):
        assert secret.encode() not in disk
        assert secret.encode("utf-16-le") not in disk

    phone.start()
    air.cut = False
    phone.sign_in()
    phone.open("/")
    phone.all_sent()
    expect(phone.page.locator("#unsent")).to_be_hidden()
    arrived = _new(live_sqlite, before)
    assert len(arrived) == 20
    assert {str(one) for one in arrived} == made
    noted = ALL.select(ConversationNote.their_words)
    assert live_sqlite.read(lambda session: list(session.scalars(noted))).count(words) == 1


def test_a_rep_whose_access_ended_sends_nothing_and_the_phone_is_wiped(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    before = _ids(live_sqlite)
    air.hang_up()
    phone.unlock()
    phone.log(0)
    phone.log(1)
    _activate(live_sqlite, is_active=False)
    # The page without signal tries by itself; a page that is left is told nothing.
    phone.page.goto("about:blank")
    try:
        air.cut = False
        phone.open("/")
        ended = "Your access has ended. This phone has wiped what it kept."
        expect(phone.page.get_by_text(ended)).to_be_visible()
        kept = (
            "() => Promise.all([Vault.talks(), Vault.get('lock'), Vault.get('list'), "
            "Vault.get('me'), caches.keys()])"
        )
        talks, lock, people, me, caches = phone.page.evaluate(kept)
        assert (talks, lock or None, people or None, me or None, caches) == (
            [],
            None,
            None,
            None,
            [],
        )
    finally:
        _activate(live_sqlite, is_active=True)
    assert _new(live_sqlite, before) == []
    phone.sign_in()
    phone.open("/")
    expect(phone.page.get_by_role("heading", name="Today").first).to_be_visible()
    assert _new(live_sqlite, before) == []


def _activate(live: Live, *, is_active: bool) -> None:
    with live.app.app_context(), unit_of_work() as session:
        user = session.get(UserAccount, live.users["rep"])
        assert user is not None
        user.active = is_active


def test_a_server_that_dies_in_the_middle_and_a_lost_answer_store_each_talk_once(
    phone: _Phone, live_sqlite: Live, air: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _ids(live_sqlite)
    air.hang_up()
    phone.unlock()
    for at in range(5):
        phone.log(at)
    answered: Callable[..., Any] = outbox._answered
    # They are sent in the order they were made; the store on the phone has them in none.
    made = "Vault.talks().then(t => t.sort((a, b) => a.at - b.at))"
    third = phone.page.evaluate(f"() => {made}.then(t => t[2].id)")

    dead = False

    def _dies(scope: Any, item: Any, ahead: Any) -> Any:
        nonlocal dead
        dead = dead or item["id"] == third
        if dead:
            raise ConnectionAbortedError("the server died here")
        return answered(scope, item, ahead)

    monkeypatch.setattr(outbox, "_answered", _dies)
    air.cut = False
    with phone.page.expect_response(re.compile("/phone/talks$")) as answer:
        phone.open("/outbox")
    assert answer.value.status == 500
    assert len(_new(live_sqlite, before)) == 2
    assert phone.waiting() == 5

    monkeypatch.setattr(outbox, "_answered", answered)
    air.loses = b"/phone/talks"
    phone.open("/outbox")
    # What the dying server still answers may be lost too, before the answer that counts.
    ends = time.monotonic() + 15
    while not air.lost or len(_new(live_sqlite, before)) < 5:
        assert time.monotonic() < ends, "no answer was lost"
        phone.page.wait_for_timeout(50)
    assert len(_new(live_sqlite, before)) == 5
    assert phone.waiting() == 5

    air.loses = None
    phone.send_now()
    phone.all_sent()
    assert len(_new(live_sqlite, before)) == 5


def test_a_talk_typed_on_the_full_page_is_kept_when_the_signal_goes(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    before = _ids(live_sqlite)
    phone.open(f"/log/{live_sqlite.ids['contact_id']}")
    page = phone.page
    page.locator("details.wc-opens summary").click()
    page.get_by_label("Their words").fill("Typed before the lift went down")
    air.hang_up()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#phone-talks li")).to_have_count(1)
    expect(page.get_by_text("Ready. It goes when there is signal.")).to_be_visible()
    assert phone.waiting() == 1
    air.cut = False
    phone.send_now()
    phone.all_sent()
    assert len(_new(live_sqlite, before)) == 1


def test_a_refused_talk_comes_back_with_its_reason_and_all_that_was_typed(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    before = _ids(live_sqlite)
    words = f"Every word of it {uuid.uuid4().hex[:6]}"
    air.hang_up()
    phone.unlock()
    page = phone.page
    page.locator("#people li a").first.click()
    for choice in ("Nothing", "Yes"):
        page.locator(
            f"#view-talk .wc-choice:has(.wc-choice__word:text-is('{choice}'))"
        ).first.click()
    page.locator("#view-talk summary").click()
    page.get_by_label("Their words").fill(words)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Kept on this phone.")).to_be_visible()
    air.cut = False
    phone.open("/outbox")
    expect(page.get_by_text("Could not be stored: 1.")).to_be_visible()
    phone.open("/outbox")
    expect(page.get_by_text("You asked nothing, so there is no answer.")).to_be_visible()
    page.get_by_role("link", name="Open", exact=False).first.click()
    expect(page.get_by_label("Their words")).to_have_value(words)
    page.locator(".wc-choice:has(.wc-choice__word:text-is('Not noted'))").nth(1).click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved: talk with")).to_be_visible()
    assert len(_new(live_sqlite, before)) == 1
    assert (
        live_sqlite.read(
            lambda session: session.scalars(
                ALL.select(KeptTalk.owner_id).where(KeptTalk.owner_id == live_sqlite.users["rep"])
            ).all()
        )
        == []
    )


def test_signing_out_wipes_the_list_and_keeps_sealed_talks_for_their_writer_alone(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    before = _ids(live_sqlite)
    air.hang_up()
    phone.unlock()
    phone.log(0)
    air.cut = False
    air.loses = b"/phone/talks"
    phone.open("/")
    page = phone.page
    page.locator("details.wc-me summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Not all is sent yet.")).to_be_visible()
    assert not page.evaluate(
        "() => Promise.all([Vault.get('lock'), Vault.get('list')]).then(p => p[0] || p[1])"
    )
    air.loses = None
    phone.sign_in("organiser")
    phone.open("/outbox")
    expect(page.get_by_text("Nothing waits on this phone.")).to_be_visible()
    assert phone.waiting() == 1
    phone.sign_in("rep")
    phone.open("/outbox")
    phone.all_sent()
    assert len(_new(live_sqlite, before)) == 1


def test_ten_wrong_codes_wipe_the_list(phone: _Phone, air: Line) -> None:
    air.hang_up()
    phone.open("/mine")
    for _ in range(10):
        phone.page.get_by_label("Your code").fill("guessing 1")
        phone.page.get_by_role("button", name="Open").click()
        phone.page.wait_for_function("() => !document.getElementById('unlock-code').value")
        phone.page.wait_for_timeout(400)
    expect(phone.page.get_by_text("This phone keeps no list.")).to_be_visible(timeout=10_000)
    _until(phone.page, "() => Vault.get('list').then(one => !one)")


def test_what_opens_without_signal_can_be_used_by_everybody(phone: _Phone, air: Line) -> None:
    air.hang_up()
    phone.unlock()
    page = phone.page
    assert access_faults(page) == []
    marks = [one.get_attribute("href") or "" for one in page.locator("svg use").all()]
    for file in {one.partition("#")[0] for one in marks}:
        assert page.evaluate("one => caches.match(one).then(Boolean)", file), file
    page.locator("#people li a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#view-talk")).to_be_visible()
    page.locator("#view-talk summary").click()
    assert access_faults(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert too_wide(page) == []


def test_a_talk_that_is_half_typed_when_the_list_locks_is_kept_as_a_draft(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    before = _ids(live_sqlite)
    words = f"Half a sentence {uuid.uuid4().hex[:6]}"
    air.hang_up()
    phone.unlock()
    page = phone.page
    page.locator("#people li a").first.click()
    page.locator("#view-talk summary").click()
    page.get_by_label("Their words").fill(words)
    page.evaluate(
        "() => { const late = Date.now() + 400000; Date.now = () => late;"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    expect(page.get_by_text("What you typed is kept as a draft.")).to_be_visible()
    expect(page.get_by_label("Your code")).to_be_visible()
    expect(page.locator("#people li")).to_have_count(0)
    page.goto("about:blank")
    air.cut = False
    phone.open("/outbox")
    _until(page, "() => Vault.talks().then(t => !t.length)")
    phone.open("/outbox")
    page.get_by_role("link", name="Open", exact=False).first.click()
    expect(page.get_by_label("Their words")).to_have_value(words)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved: talk with")).to_be_visible()
    assert len(_new(live_sqlite, before)) == 1


def test_a_proxy_that_answers_for_a_dead_server_takes_no_talk_away(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    before = _ids(live_sqlite)
    phone.open(f"/log/{live_sqlite.ids['contact_id']}")
    air.hang_up()
    air.says = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad"
    air.cut = False
    page = phone.page
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#phone-talks li")).to_have_count(1)
    assert phone.waiting() == 1
    air.says = None
    phone.send_now()
    phone.all_sent()
    assert len(_new(live_sqlite, before)) == 1


def test_one_talk_that_the_server_cannot_take_holds_up_no_other(
    phone: _Phone, live_sqlite: Live, air: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _ids(live_sqlite)
    air.hang_up()
    phone.unlock()
    for at in range(4):
        phone.log(at)
    bad = phone.page.evaluate("() => Vault.talks().then(t => t[1].id)")
    take: Callable[..., Any] = outbox._take

    def _stumbles(scope: Any, talk_id: str, *rest: Any) -> Any:
        if talk_id == bad:
            raise ValueError("a defect that this one talk brings out")
        return take(scope, talk_id, *rest)

    monkeypatch.setattr(outbox, "_take", _stumbles)
    air.cut = False
    phone.page.evaluate("() => Phone.send().then(() => 1)")
    _until(
        phone.page, "() => Vault.talks().then(t => t.filter(o => o.state === 'sent').length === 3)"
    )
    assert phone.waiting() == 1
    assert len(_new(live_sqlite, before)) == 3
    monkeypatch.setattr(outbox, "_take", take)
    phone.page.evaluate("() => Phone.send().then(() => 1)")
    phone.all_sent()
    assert len(_new(live_sqlite, before)) == 4


def test_a_role_that_ends_wipes_the_phone_though_its_owner_is_signed_in(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    air.hang_up()
    phone.unlock()
    phone.log(0)
    phone.page.goto("about:blank")
    _grant_until(live_sqlite, datetime.now(UTC).date())
    try:
        air.cut = False
        phone.open("/account")
        expect(phone.page.get_by_text("Your access has ended.")).to_be_visible()
        assert phone.page.evaluate(
            "() => Promise.all([Vault.talks(), Vault.get('list'), caches.keys()])"
        ) == [[], None, []]
    finally:
        _grant_until(live_sqlite, None)


def _grant_until(live: Live, day: Any) -> None:
    with live.app.app_context(), unit_of_work(ALL) as session:
        for grant in session.scalars(
            sa.select(AccessGrant).where(AccessGrant.user_id == live.users["rep"])
        ):
            grant.valid_to = day


def _tap_test(live: Live) -> tuple[str, int]:
    """Return the tracker's address of a new test of three people at the Mill, and its inner id."""
    world = live.world
    assert world is not None
    with live.app.app_context(), unit_of_work(ALL) as session:
        people: list[Any] = [world.ioana, world.tomasz, world.rukhsana]
        test = factories.make_test(
            session,
            world.mill,
            *people,
            name="Zebra badge day",
            # Before all others, since a phone keeps five at most.
            closes_on=datetime.now(UTC).date(),
        )[2]
        return f"/tests/{test.public_id}/mine", int(test.id)


def _deeds(live: Live, test_id: int) -> list[tuple[int, str]]:
    asked = (
        ALL.select(ListEntry.number, Participation.deed)
        .join(ListEntry, ListEntry.id == Participation.entry_id)
        .where(Participation.test_id == test_id, Participation.superseded_at.is_(None))
        .order_by(ListEntry.number)
    )
    return live.read(lambda session: [(row[0], row[1].value) for row in session.execute(asked)])


def _new_list(phone: _Phone) -> None:
    """Have the phone take its list anew, as it does by itself after ten minutes."""
    phone.open("/account")
    phone.page.evaluate("() => Vault.put('list', null).then(() => Phone.takeList())")
    _until(phone.page, "() => Vault.get('list').then(Boolean)")


def _unlock_taps(phone: _Phone) -> None:
    phone.page.get_by_label("Your code").fill(CODE)
    phone.page.get_by_role("button", name="Open", exact=True).click()
    expect(phone.page.locator("#taps li").first).to_be_visible()


def test_taps_on_a_test_without_signal_survive_a_killed_browser_and_arrive_once(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    path, test_id = _tap_test(live_sqlite)
    _new_list(phone)
    air.hang_up()
    phone.unlock()
    page = phone.page
    page.get_by_role("link", name="Zebra badge day").click()
    lines = page.locator("#taps li")
    expect(lines).to_have_count(3)
    assert access_faults(page) == []
    did, will = re.compile("^Did it"), re.compile("^Will")
    lines.nth(0).get_by_role("button", name=will).click()
    expect(lines.nth(0)).to_contain_text("Not sent yet")
    lines.nth(0).get_by_role("button", name=did).click()
    expect(lines.nth(0).locator('[aria-pressed="true"]')).to_contain_text("Did it")
    lines.nth(1).get_by_role("button", name=will).click()
    expect(lines.nth(1)).to_contain_text("Not sent yet")
    expect(page.locator("#unsent")).to_contain_text("2")
    lines.nth(1).get_by_role("button", name=re.compile("^Undo")).click()
    expect(page.locator("#unsent")).to_contain_text("1")
    expect(lines.nth(1).locator('[aria-pressed="true"]')).to_have_count(0)
    names = page.locator("#taps .wc-row__name").all_text_contents()
    phone.kill()
    disk = _on_disk(phone.folder)
    for secret in ("Zebra", *names):
        assert secret.encode() not in disk
        assert secret.encode("utf-16-le") not in disk

    page = phone.start()
    phone.open(path)
    _unlock_taps(phone)
    expect(page.locator("#taps [aria-pressed]")).to_have_count(1)
    expect(page.locator("#taps li").nth(0)).to_contain_text("Not sent yet")
    assert _deeds(live_sqlite, test_id) == []
    air.cut = False
    air.loses = b"/phone/talks"
    phone.sign_in()
    page.evaluate("() => Phone.send().then(() => 1)")
    # The server may have it: then it can no longer be undone here.
    page.locator("#taps li").nth(0).get_by_role("button", name=re.compile("^Undo")).click()
    expect(page.get_by_text("It may be sent already.")).to_be_visible()
    air.loses = None
    phone.open("/")
    _until(page, "() => Vault.talks().then(t => !t.length)")
    assert _deeds(live_sqlite, test_id) == [(1, "did")]


def test_a_tap_on_the_full_tracker_is_kept_when_the_signal_goes(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    path, test_id = _tap_test(live_sqlite)
    _new_list(phone)
    page = phone.page
    phone.open(f"{path}?show=all")
    air.hang_up()
    page.locator("#n2").get_by_role("button", name=re.compile("^Did not")).click()
    expect(page.get_by_text("Kept on this phone.")).to_be_visible()
    _unlock_taps(phone)
    expect(page.locator("#taps [aria-pressed]")).to_contain_text("Did not")
    air.cut = False
    page.evaluate("() => Phone.send().then(() => 1)")
    expect(page.locator("#taps li").nth(1)).to_contain_text("Sent")
    assert _deeds(live_sqlite, test_id) == [(2, "did_not")]


def test_a_word_on_voting_tapped_without_signal_is_dropped_once_the_result_is_declared(
    phone: _Phone, live_sqlite: Live, air: Line
) -> None:
    world = live_sqlite.world
    assert world is not None
    today = datetime.now(UTC).date()
    with live_sqlite.app.app_context(), unit_of_work(ALL) as session:
        ballot = factories.make_open_ballot(session, world, today=today)
        path, ballot_id = f"/ballots/{ballot.public_id}/votes", ballot.id
    _new_list(phone)
    air.hang_up()
    phone.open(path)
    _unlock_taps(phone)
    page = phone.page
    voted = re.compile("^Voted")
    # On one line: at 360 px the word was broken in the middle once.
    box = page.locator("#taps li").nth(0).get_by_role("button", name=voted).bounding_box()
    assert box is not None
    assert box["height"] < 60
    page.locator("#taps li").nth(0).get_by_role("button", name=voted).click()
    expect(page.locator("#taps li").nth(0)).to_contain_text("Not sent yet")
    air.cut = False
    page.evaluate("() => Phone.send().then(() => 1)")
    expect(page.locator("#taps li").nth(0)).to_contain_text("Sent")
    told = ALL.select(VoteTold.said).where(VoteTold.ballot_id == ballot_id)
    assert live_sqlite.read(lambda session: [one.value for one in session.scalars(told)]) == [
        "voted"
    ]
    air.hang_up()
    page.locator("#taps li").nth(1).get_by_role("button", name=voted).click()
    expect(page.locator("#taps li").nth(1)).to_contain_text("Not sent yet")
    with live_sqlite.app.app_context(), unit_of_work(ALL) as session:
        for row in session.scalars(ALL.select(VoteTold).where(VoteTold.ballot_id == ballot_id)):
            session.delete(row)
        session.scalars(ALL.select(Ballot).where(Ballot.id == ballot_id)).one().declared_on = today
    air.cut = False
    page.evaluate("() => Phone.send().then(() => 1)")
    expect(page.locator("#taps li").nth(1)).to_contain_text("Not stored.")
    phone.open("/outbox")
    expect(page.get_by_text("Voting is not open any more, so this tap is dropped.")).to_be_visible()
    kept = page.evaluate("() => Vault.talks()")
    assert [one.get("sealed") or one.get("label") for one in kept] == [None]
    assert live_sqlite.read(lambda session: list(session.scalars(told))) == []
