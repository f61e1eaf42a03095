"""The whole main job on real workplaces, by the screens only: nothing is stored past the pages.

An administrator opens their first link, loads two public registers, adds a union with a branch,
and invites three people. A rep adds people and logs talks on a phone. An organiser reads density
as at two days. An officer takes the file, which must agree to the digit with the page and with
SQL that was written here by hand.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd
import pytest
import sqlalchemy as sa
from flask import Flask

from crm.access.scope import Scope
from crm.domain.headcount import Counts
from crm.features.accounts import service as accounts
from crm.features.practice.service import EXTRACTS
from crm.models.places import Headcount, Place
from crm.web import tasks
from crm.web.db import db, unit_of_work
from tests import factories
from tests.browser import live as serving
from tests.browser.live import Live

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]

pytestmark = pytest.mark.timeout(240)

PASSPHRASE = "seven brown hens cross the yard"
UNION = "Glass and Homes Union"
BRANCH = "Dearne branch"
SITES = ("BEATSON CLARK LIMITED", "Berneslai Homes Ltd")
TODAY = datetime.now(UTC).date()
LONG_SINCE = TODAY - timedelta(days=400)
LATELY = TODAY - timedelta(days=30)
EARLIER = TODAY - timedelta(days=60)

# Written by hand, and not out of the app: people with a job there on the day, by membership.
_COUNT = """
SELECT place.name AS place,
       count(DISTINCT CASE WHEN m.status = 'member' THEN job.contact_id END) AS members,
       count(DISTINCT CASE WHEN m.status = 'not_member' THEN job.contact_id END) AS not_members,
       count(DISTINCT CASE WHEN m.id IS NULL THEN job.contact_id END) AS not_known,
       h.low AS low, h.high AS high
FROM place
JOIN headcount h ON h.place_id = place.id AND h.superseded_at IS NULL
     AND h.counts = 'site_all'
LEFT JOIN job ON job.workplace_id = place.id AND job.superseded_at IS NULL
     AND job.valid_from <= :day AND (job.valid_to IS NULL OR job.valid_to > :day)
LEFT JOIN membership m ON m.contact_id = job.contact_id AND m.superseded_at IS NULL
     AND m.valid_from <= :day AND (m.valid_to IS NULL OR m.valid_to > :day)
WHERE place.kind = 'workplace' AND place.name IN (SELECT name FROM place WHERE place.id IN
      (SELECT child_id FROM place_edge e JOIN place b ON b.id = e.parent_id
       WHERE b.name = :branch AND e.superseded_at IS NULL))
GROUP BY place.name, h.low, h.high
"""


@dataclass(frozen=True)
class Person:
    """Somebody whom the rep adds. rating 1 to 5; member: since that day; None when not asked."""

    name: str
    rating: str | None = None
    asked: str | None = None
    answer: str | None = None
    member_since: date | None = None
    in_no_union: bool = False


PEOPLE = (
    Person("Danuta W", "Leads", "Join the union", "Yes", LONG_SINCE),
    Person("Owen B", "With us", "Come to the meeting", "Yes", LONG_SINCE),
    Person("Marta S", "With us", "Join the union", "Yes", LATELY),
    Person("Lukasz P", "Unsure", "Join the union", "Not yet", in_no_union=True),
    Person("Rukhsana A", "Against"),
    Person("Night packer 3"),
)


@dataclass
class Group:
    """The people of this play with their pages, and what the play has made so far."""

    live: Live
    open_page: OpenPage
    pages: dict[str, Page] = field(default_factory=dict)

    def page_of(self, who: str, **window: Any) -> Page:
        if who not in self.pages:
            self.pages[who] = self.open_page(**window)
        return self.pages[who]


@contextmanager
def _working(app: Flask) -> Iterator[None]:
    worker = tasks.start_worker(app)
    try:
        yield
    finally:
        worker.stop()


def _first_link(live: Live) -> str:
    with live.app.app_context(), unit_of_work(Scope.everything(reason="as crm serve does")) as at:
        token = accounts.first_administrator_link(at, now=datetime.now(UTC))
    return f"{live.address}/welcome/{token}"


def _take_up(page: Page, link: str, *, name: str, sign_in_name: str) -> None:
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Sign-in name").fill(sign_in_name)
    page.get_by_label("New passphrase", exact=True).fill(PASSPHRASE)
    page.get_by_label("New passphrase, once more").fill(PASSPHRASE)
    page.get_by_role("button", name="Save and sign in").click()
    page.get_by_text("Welcome. You are signed in.").wait_for()


def _sign_in_again(page: Page, live: Live, sign_in_name: str) -> None:
    page.locator("details.wc-me summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out.").wait_for()
    page.get_by_label("Sign-in name").fill(sign_in_name)
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Sign in").click()
    page.locator("details.wc-me summary").wait_for()


def _load_register(page: Page, live: Live, form: str, button: str, files: dict[str, Path]) -> None:
    page.goto(f"{live.address}/admin/registers")
    for field_name, path in files.items():
        page.locator(f"#{form} input[name$='{field_name}']").set_input_files(path)
    page.get_by_role("button", name=button).click()
    # The page asks again by itself every few seconds.
    page.get_by_text("The register is loaded.").wait_for(timeout=60_000)


def _add_union_and_branch(page: Page, live: Live) -> None:
    page.goto(f"{live.address}/places/unions/new")
    page.get_by_label("Name", exact=True).fill(UNION)
    page.get_by_role("button", name="Save").or_(page.get_by_role("button", name="Add")).click()
    page.get_by_role("heading", name=UNION).wait_for()
    page.goto(page.url + "/branches/new")
    page.get_by_label("Name", exact=True).fill(BRANCH)
    page.get_by_role("button", name="Save").or_(page.get_by_role("button", name="Add")).click()
    page.get_by_role("heading", name=BRANCH).wait_for()


def _organise(page: Page, live: Live, site: str) -> None:
    page.goto(f"{live.address}/places?q={site}")
    page.locator(f"main a:has-text('{site}'):not([href*='/employers/'])").first.click()
    page.wait_for_url(re.compile(r"/places/[0-9a-f-]{36}$"))
    page.goto(page.url.split("?")[0] + "/branches")
    page.locator("#form select[name=branch]").select_option(label=f"{UNION}: {BRANCH}")
    page.locator("#form input[name=since]").fill(LONG_SINCE.isoformat())
    page.get_by_role("button", name="Add").click()
    page.get_by_text(BRANCH).first.wait_for()


def _count_on_site(live: Live) -> None:
    """Somebody counted on site as many as the employer's return says: so everybody there counts,
    whoever pays them."""
    scope = Scope.everything(reason="the play counts the workers")
    with live.app.app_context(), unit_of_work(scope) as session:
        for found in session.scalars(
            scope.select(Headcount)
            .join(Place, Place.id == Headcount.place_id)
            .where(
                Headcount.counts == Counts.EMPLOYER_DIRECT,
                sa.or_(*(Place.name.contains(site) for site in SITES)),
            )
        ).all():
            place = session.scalars(scope.select(Place).where(Place.id == found.place_id)).one()
            factories.make_headcount(session, place, found.low or 0, found.high)


def _invite(page: Page, live: Live, name: str, *, place: str, kind: str, role: str) -> str:
    page.goto(f"{live.address}/admin/places?q={place}&kind={kind}")
    page.locator(f"a.wc-row__name:has-text('{place}')").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label(role, exact=True).check()
    page.get_by_label("From").fill(LONG_SINCE.isoformat())
    page.get_by_role("button", name="Make their link").click()
    return page.locator("code").inner_text()


def _add_and_log(page: Page, live: Live, person: Person, site: str) -> None:
    page.goto(f"{live.address}/log")
    page.get_by_role("link", name="Someone new").click()
    where = page.get_by_label("Where do they work?")
    where.or_(page.locator("[name=known_as]")).first.wait_for()
    if where.count():
        option = page.locator(f"#workplace option:has-text('{site}')").get_attribute("value")
        where.select_option(option)
        page.get_by_role("button", name="Go on").click()
    is_named = not person.name.startswith("Night")
    page.locator(f"[name={'known_as' if is_named else 'placeholder_label'}]").fill(person.name)
    page.get_by_label("Working there since").fill(LONG_SINCE.isoformat())
    page.get_by_role("button", name="Save and log a talk").click()
    page.get_by_role("heading", name=f"Talk with {person.name}").wait_for()
    for word in (person.rating, person.asked, person.answer):
        if word:
            page.locator(f".wc-choice:has(.wc-choice__word:text-is('{word}'))").first.click()
    page.get_by_role("button", name="Save").click()
    page.get_by_text(f"Saved: talk with {person.name}.").wait_for()


def _note_membership(page: Page, live: Live, person: Person) -> None:
    page.goto(f"{live.address}/people?q={person.name}")
    page.get_by_role("link", name=person.name).click()
    page.locator("#unions").get_by_role("link", name="Add").click()
    if person.in_no_union:
        page.get_by_label("In no union at all").check()
    else:
        page.get_by_label("Member of this union", exact=True).check()
        page.locator("select[name=union]").select_option(label=UNION)
    page.locator("input[name=since]").fill((person.member_since or LONG_SINCE).isoformat())
    page.get_by_role("button", name="Save").click()
    page.locator("#unions").get_by_text("Who told us").wait_for()


def _density_table(page: Page, live: Live, as_at: date) -> dict[str, list[str]]:
    """Return the cells of the page's table by the name of the workplace."""
    page.goto(f"{live.address}/dash?as_at={as_at.isoformat()}&by=workplace")
    caption = f"Density by workplace, {as_at.day} {as_at:%B %Y}"
    table = page.locator("table").filter(has=page.locator("caption", has_text=caption))
    rows = table.locator("tbody tr").all()
    return {
        row.locator("th").text_content() or "": [
            (cell.text_content() or "").strip() for cell in row.locator("td").all()
        ]
        for row in rows
    }


def _count_by_hand(live: Live, day: date) -> dict[str, dict[str, Any]]:
    with live.app.app_context(), db.engine.connect() as connection:
        on = day.isoformat() if db.engine.dialect.name == "sqlite" else day
        # Past all locks on purpose: these figures must owe nothing to the app.
        rows = connection.execution_options(crm_scope=True, read_only=True).execute(
            sa.text(_COUNT), {"day": on, "branch": BRANCH}
        )
        return {row["place"]: dict(row) for row in rows.mappings()}


def _check_page(shown: dict[str, list[str]], counted: dict[str, dict[str, Any]]) -> None:
    """Members, not members, not known and workers on the page are those that SQL counts."""
    assert len(shown) == len(counted) > 0
    for place, cells in shown.items():
        by_hand = next(row for name, row in counted.items() if place.startswith(name))
        assert cells[:3] == [
            str(by_hand[name]) for name in ("members", "not_members", "not_known")
        ], place
        assert cells[4] == f"{int(by_hand['low'])} to {int(by_hand['high'])}", place


def _download(page: Page, name: str) -> bytes:
    with page.expect_download() as found:
        page.get_by_role("link", name=name).click()
    return Path(found.value.path()).read_bytes()


def _check_files(page: Page, live: Live, shown: dict[str, list[str]], day: date) -> None:
    """The CSV read by pandas, the workbook read by openpyxl, the page and SQL agree."""
    raw = _download(page, "Plain file (CSV)")
    table = pd.read_csv(io.BytesIO(raw), na_values=["[x]"], encoding="utf-8-sig")
    places = table[table["row"] == "place"]
    book = openpyxl.load_workbook(io.BytesIO(_download(page, "Spreadsheet (XLSX)")))
    sheet = [list(row) for row in book["Density"].iter_rows(values_only=True)]
    heading, lines = sheet[0], sheet[1:]
    assert heading == list(table.columns)
    assert len(lines) == len(table)
    for line, (_, row) in zip(lines, table.iterrows(), strict=True):
        for name, cell in zip(heading, line, strict=True):
            value = row[name]
            if cell == "[x]":
                assert pd.isna(value), name
            elif isinstance(cell, int | float):
                assert float(value) == pytest.approx(float(cell), abs=0), name
            elif isinstance(cell, datetime):
                assert value == cell.date().isoformat(), name
            else:
                assert value == cell, name
    by_hand = _count_by_hand(live, day)
    assert len(places) == len(by_hand) == len(shown)
    for _, row in places.iterrows():
        counted = by_hand[row["place"]]
        cells = next(cells for name, cells in shown.items() if name.startswith(row["place"]))
        assert row["as_at"] == day.isoformat()
        assert [row["members"], row["not_members"], row["not_known_named"]] == [
            counted["members"],
            counted["not_members"],
            counted["not_known"],
        ]
        assert [str(int(row["members"])), str(int(row["not_members"]))] == cells[:2]
        assert (row["workers_low"], row["workers_high"]) == (counted["low"], counted["high"])
        low = counted["members"] / counted["high"]
        high = (counted["high"] - counted["not_members"]) / counted["high"]
        assert row["low_fraction"] == pytest.approx(low, abs=5e-7)
        assert row["high_fraction"] == pytest.approx(high, abs=5e-7)
        assert cells[5].rstrip("%").lstrip("<") == str(row["low_percent"]).rstrip("%").lstrip("<")
    total = table[table["row"] == "total"].iloc[0]
    assert total["members"] == places["members"].sum()
    assert total["workers_high"] == places["workers_high"].sum()
    assert total["low_fraction"] == pytest.approx(
        places["members"].sum() / places["workers_high"].sum(), abs=5e-7
    )
    assert next(csv.reader(io.StringIO(raw.decode("utf-8-sig")))) == heading


def _play(live: Live, open_page: OpenPage, people: tuple[Person, ...], *, nhs: bool) -> None:
    admin = open_page(width=1280, height=800)
    _take_up(admin, _first_link(live), name="Ade Admin", sign_in_name="ade")
    _load_register(
        admin,
        live,
        "form-gender-pay",
        "Load employers",
        {"employers": EXTRACTS / "gender_pay_extract.csv"},
    )
    if nhs:
        files = {
            "sites": EXTRACTS / "nhs_sites_extract.csv",
            "staff": EXTRACTS / "nhs_staff_extract.csv",
        }
        _load_register(admin, live, "form-nhs", "Load NHS sites", files)
    _add_union_and_branch(admin, live)
    for site in SITES:
        _organise(admin, live, site)
    _count_on_site(live)
    in_branch = {"place": BRANCH, "kind": "branch"}
    links = {
        "owen": _invite(admin, live, "Owen Rep", place=SITES[0], kind="workplace", role="Rep"),
        "ana": _invite(admin, live, "Ana", **in_branch, role="Organiser"),
        "kasia": _invite(admin, live, "Kasia", **in_branch, role="Branch officer"),
    }
    rep = open_page(width=360, height=640)
    organiser = open_page(width=1280, height=800)
    officer = open_page(width=1280, height=800, accept_downloads=True)
    for page, who in ((rep, "owen"), (organiser, "ana"), (officer, "kasia")):
        _take_up(page, links[who], name=who.title(), sign_in_name=who)
    _sign_in_again(rep, live, "owen")
    for person in people:
        _add_and_log(rep, live, person, SITES[0])
        if person.member_since or person.in_no_union:
            _note_membership(rep, live, person)
    before = _density_table(organiser, live, EARLIER)
    after = _density_table(organiser, live, TODAY)
    _check_page(before, _count_by_hand(live, EARLIER))
    _check_page(after, _count_by_hand(live, TODAY))
    assert before != after
    shown = _density_table(officer, live, TODAY)
    assert shown == after
    _check_files(officer, live, shown, TODAY)


def test_the_main_job_from_the_first_link_to_the_file(tmp_path: Path, open_page: OpenPage) -> None:
    with (
        serving.empty(f"sqlite:///{tmp_path / 'job.db'}", tmp_path) as live,
        _working(live.app),
    ):
        _play(live, open_page, PEOPLE, nhs=True)


def test_the_main_job_on_postgresql_with_fewer_people(
    tmp_path: Path, open_page: OpenPage, fresh_pg_database: Callable[[], str]
) -> None:
    with serving.empty(fresh_pg_database(), tmp_path) as live, _working(live.app):
        _play(live, open_page, PEOPLE[2:4], nhs=False)
