"""The tracker of a test on a phone: twenty people in three minutes, one tap each."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from crm.domain.structure import Deed
from crm.models.campaigns import Participation, StructureTest
from crm.models.places import Workplace
from crm.web.db import unit_of_work
from tests import factories
from tests.browser.live import Live
from tests.factories import ALL

# Seconds: to find the next name and remember what they did, and to tap; and what each page costs
# on a slow phone line (400 kbit/s, 400 ms there and back).
A_LOOK = 3.5
A_TAP = 1.0
A_PAGE = 1.5
AIM = 180.0
PEOPLE = 20


def _test_of_twenty(live: Live) -> uuid.UUID:
    world = live.world
    assert world is not None
    with live.app.app_context(), unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        people = [
            # They have left since, so that no list of another test has them.
            factories.make_person(session, mill, f"Picker {number:02}", until=date(2026, 1, 1))
            for number in range(PEOPLE)
        ]
        test = factories.make_test(session, mill, *people, name="Twenty")[2]
        found: uuid.UUID = test.public_id
        return found


@pytest.mark.parametrize("scripts", [True, False])
def test_twenty_people_are_marked_within_three_minutes_with_one_tap_each(
    live: Live, open_page: Callable[..., Page], scripts: bool
) -> None:
    test = _test_of_twenty(live)
    page = open_page(width=360, java_script_enabled=scripts)
    live.sign_in(page, "rep")
    page.goto(f"{live.address}/tests/{test}/mine?show=all")
    seconds = A_PAGE
    taps = 0
    for number in range(1, PEOPLE + 1):
        line = page.locator(f"#n{number}")
        word = ("Did it", "Will", "Did not")[number % 3]
        line.get_by_role("button", name=re.compile(f"^{word}")).click()
        taps += 1
        seconds += A_LOOK + A_TAP + A_PAGE
        pressed = line.locator('[aria-pressed="true"]')
        expect(pressed).to_contain_text(word)
        # The same line is in sight again: nobody has to look for where they were.
        expect(line).to_be_in_viewport()
    assert taps == PEOPLE
    assert seconds < AIM, seconds
    page.locator("#n2").get_by_role("button", name=re.compile("^Take back")).click()
    expect(page.locator("#n2").locator('[aria-pressed="true"]')).to_have_count(0)
    stored = live.read(
        lambda session: session.execute(
            ALL.select(Participation.deed, sa.func.count(Participation.id))
            .join(StructureTest, StructureTest.id == Participation.test_id)
            .where(StructureTest.public_id == test, Participation.superseded_at.is_(None))
            .group_by(Participation.deed)
        ).all()
    )
    assert {row.deed: row[1] for row in stored} == {Deed.DID: 6, Deed.WILL: 7, Deed.DID_NOT: 6}
