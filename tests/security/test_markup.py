"""Names made of markup are shown as they were typed, on every page that can be reached."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.domain.roles import Role
from crm.models.contacts import ContactPoint, FieldBasis
from crm.models.conversations import Conversation, ConversationNote, FollowUp
from crm.models.places import BargainingUnit, UnionAffiliation
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, LONG_AGO, NOW, TODAY, Named, World

Clients = Callable[[Named], FlaskClient]
EVIL = "\"'><svg/onload=canary()>{{7*7}}%(name)s%s</title></script>&lt;"
MOST_PAGES = 120


@pytest.fixture
def evil(world: World) -> Named:
    """A workplace where every word that somebody can type is markup, and a user who sees it."""
    fact: dict[str, Any] = {"recorded_at": NOW}
    with unit_of_work(ALL) as session:
        union = factories.make_union(session, EVIL)
        branch = factories.make_branch(session, union, EVIL)
        region = factories.make_region(session, EVIL)
        employer = factories.make_employer(session, EVIL, company_number=EVIL[:20], address=EVIL)
        site = factories.make_workplace(
            session, employer, EVIL, branches=(branch,), region=region, address=EVIL
        )
        area = factories.make_area(session, site, EVIL)
        shift = factories.make_shift(session, site, EVIL)
        factories.make_headcount(session, site, 3, 5, source_note=EVIL)
        factories.make_headcount(session, area, 3, 5, source_note=EVIL)
        factories.make_member_count(session, site, 2, union_id=union.id, source_note=EVIL)
        user = factories.make_user(session, EVIL, role=Role.ORGANISER, place=site)
        for role in (Role.BRANCH_OFFICER, Role.ADMINISTRATOR):
            factories.make_grant(session, user, role, None if role is Role.ADMINISTRATOR else site)
        person = factories.make_person(
            session,
            site,
            EVIL,
            area=area,
            shift=shift,
            full_name=EVIL,
            pronouns=EVIL[:40],
            languages=[EVIL[:40]],
            job_title=EVIL,
        )
        factories.make_membership(session, person, union, branch=branch, recorded_by_id=user.id)
        factories.make_assessment(session, person, area, 2, assessor=user, ask=EVIL)
        about: dict[str, Any] = {"contact_id": person.id}
        at = {**about, "place_id": area.id}
        talk = Conversation(held_by_id=user.id, day=TODAY, held_at=NOW, **at, **fact)
        unit = BargainingUnit(name=EVIL, covers=EVIL, place_id=site.id)
        session.add_all([talk, unit])
        session.flush()
        session.add_all(
            [
                ConversationNote(
                    conversation_id=talk.id,
                    author_id=user.id,
                    their_words=EVIL,
                    fears=EVIL,
                    inoculation=EVIL,
                    next_step=EVIL,
                    **at,
                ),
                FollowUp(owner_id=user.id, due_on=TODAY, created_at=NOW, what=EVIL, **at),
                ContactPoint(
                    kind="email",
                    value="javascript:canary()",
                    value_key="x",
                    label=EVIL[:40],
                    **about,
                    **fact,
                ),
                ContactPoint(kind="phone", value=EVIL, value_key="", **about, **fact),
                FieldBasis(
                    field_group="identity",
                    basis="consent",
                    given_on=TODAY,
                    wording=EVIL,
                    **about,
                    **fact,
                ),
                UnionAffiliation(union_id=union.id, body_name=EVIL, valid_from=LONG_AGO, **fact),
            ]
        )
        return Named(user.id, user.public_id, user.name)


def _links(text: str) -> list[str]:
    found = [unescape(one) for one in re.findall(r'href="([^"]*)"', text)]
    assert not any(one.lower().lstrip().startswith(("javascript", "data:")) for one in found)
    return [one for one in found if one.startswith("/") and not one.startswith("/static")]


def _shape(path: str) -> str:
    """The address without ids and filters: two of each sort of page are enough."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "*", path.split("?")[0])


def test_markup_in_names_is_never_markup_in_a_page(client_as: Clients, evil: Named) -> None:
    client = client_as(evil)
    waiting, seen, shapes = deque(["/", "/people", "/places"]), set[str](), dict[str, int]()
    shown = 0
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.popleft().split("#")[0]
        shape = _shape(path)
        if path in seen or shapes.get(shape, 0) >= 2:
            continue
        seen.add(path)
        shapes[shape] = shapes.get(shape, 0) + 1
        answer = client.get(path, follow_redirects=True)
        assert answer.status_code < 500, path
        if answer.mimetype != "text/html":
            continue
        assert "<svg/onload" not in answer.text, path
        assert "onload=canary()>49" not in answer.text, path
        shown += "svg/onload" in answer.text
        waiting.extend(_links(answer.text))
    assert shown > 30, shapes


@pytest.mark.parametrize(
    "path", ["/people?q={}", "/places?q={}", "/log?q={}", "/admin/users?q={}", "/admin/places?q={}",
             "/people/new?name={}", "/sign-in?next=/{}", "/dash?sector={}", "/{}", "/welcome/{}"],
)  # fmt: skip
def test_markup_in_an_address_is_never_markup_in_a_page(
    client_as: Clients, evil: Named, path: str
) -> None:
    from urllib.parse import quote

    answer = client_as(evil).get(path.format(quote(EVIL, safe="")))
    assert "<svg/onload" not in answer.text


@pytest.mark.parametrize("who", ["/people/{ioana}/details", "/sign-in", "/log/{ioana}", "/account"])
def test_markup_in_a_refused_form_is_never_markup_in_a_page(
    client_as: Clients, world: World, client: FlaskClient, who: str
) -> None:
    path = who.format(ioana=world.ioana.public_id)
    typed = dict.fromkeys(("name", "known_as", "id", "version", "their_words", "day", EVIL), EVIL)
    for one in (client, client_as(world.rep)):
        answer = one.post(path, data={**typed, "next": EVIL, f"kept-{EVIL}": EVIL})
        assert "<svg/onload" not in answer.text
