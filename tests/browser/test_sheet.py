"""A filled sheet of twenty people typed in by keyboard alone, at the pace of a person."""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from crm.domain.sheet import LETTERS, new_code
from crm.models.conversations import Conversation
from crm.models.places import Workplace
from crm.models.sheets import Sheet, SheetLine
from crm.web.db import unit_of_work
from tests import factories
from tests.browser.live import Live
from tests.factories import ALL, NOW

# Seconds between two keys of somebody who types with few fingers: 2.5 keys a second; and to find
# each next line on the paper.
A_KEY = 0.4
A_LOOK = 2.0
AIM = 180.0


def _sheet_of_twenty(live: Live) -> tuple[str, list[int]]:
    world = live.world
    assert world is not None
    with live.app.app_context(), unit_of_work(ALL) as session:
        mill = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        people = [
            # They have left since, so that no list of another test has them.
            factories.make_person(session, mill, f"Packer {number:02}", until=date(2026, 1, 1))
            for number in range(20)
        ]
        sheet = Sheet(
            code=new_code(),
            batch_id=uuid.uuid4(),
            number=1,
            names="short",
            large=False,
            ask="join",
            place_id=mill.id,
            carrier_id=world.rep.id,
            made_by_id=world.rep.id,
            made_at=NOW,
        )
        session.add(sheet)
        session.flush()
        session.add_all(
            SheetLine(sheet_id=sheet.id, number=number, contact_id=person.id)
            for number, person in enumerate(people, start=1)
        )
        return sheet.code, [person.id for person in people]


class _Typist:
    """Presses keys and counts the seconds that a person would have taken."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seconds = 0.0

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.seconds += A_KEY * len(text)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.seconds += A_KEY


@pytest.mark.parametrize("scripts", [True, False])
def test_twenty_people_are_typed_in_within_three_minutes_by_keyboard_alone(
    live: Live, open_page: Callable[..., Page], scripts: bool
) -> None:
    code, people = _sheet_of_twenty(live)
    page = open_page(width=1280, java_script_enabled=scripts)
    live.sign_in(page, "rep")
    page.goto(f"{live.address}/log/sheet")
    typist = _Typist(page)
    expect(page.locator("#code")).to_be_focused()
    typist.type(code)
    typist.press("Enter")
    chance = random.Random(7)
    for number in range(1, 21):
        expect(page.locator(f"#line-{number}")).to_be_focused()
        letters = "".join(chance.sample(LETTERS, 2))
        typist.seconds += A_LOOK
        typist.type(f"{chance.randint(1, 5)}{letters}{chance.choice('ynw')}")
        if number < 20:
            typist.press("Tab")
    typist.press("Enter")
    save = page.get_by_role("button", name="Save 20 talks")
    expect(save).to_be_focused()
    typist.seconds += 20  # To read through what was understood.
    typist.press("Enter")
    expect(page.get_by_text(re.compile(r"20 talks saved"))).to_be_visible()
    stored = live.read(
        lambda session: session.execute(
            ALL.select(sa.func.count(Conversation.id)).where(Conversation.contact_id.in_(people))
        ).scalar_one()
    )
    assert stored == 20
    assert typist.seconds < AIM, typist.seconds
