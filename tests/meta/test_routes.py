"""Every address of the app: declared, closed to strangers and outsiders, with safe headers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule

from crm.access.permissions import Permission
from crm.domain.roles import Role
from crm.domain.sheet import new_code
from crm.features.accounts.queries import device_key
from crm.models.accounts import AccessGrant, AccountNotice, UserSession
from crm.models.ballots import Ballot, BallotPart, BallotQuestion
from crm.models.cases import Case, CaseDeadline, CasePerson, CaseTeamMember
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership
from crm.models.conversations import Conversation, FollowUp, KeptTalk
from crm.models.lists import BulkAction, FieldChoice
from crm.models.merging import MergedPerson
from crm.models.places import (
    Area,
    BargainingUnit,
    Headcount,
    MemberCount,
    Place,
    Recognition,
    Shift,
    UnionAffiliation,
    Workplace,
)
from crm.models.reports import ReportFile, ReportRecipe
from crm.models.sheets import Sheet, SheetLine
from crm.models.talk_lists import TalkList
from crm.models.tasks import BackgroundTask
from crm.models.ties import GroupMember, Leading, SocialGroup, Tie
from crm.models.turf import Turf, TurfMove
from crm.web.db import unit_of_work
from crm.web.headers import HEADERS
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World
from tests.features.imports.lists import make_list

Clients = Callable[[Named], FlaskClient]

# The whole list of what answers strangers. A new line here is a decision, not an accident.
PUBLIC = {
    "accounts.sign_in",
    "accounts.welcome",
    # Answers calendar programs, which cannot sign in: by a random token, and with counts only.
    "feed.dates",
    "conversations.manifest",
    "conversations.shell",
    "conversations.state",
    "conversations.worker",
    "health.alive",
    "health.ready",
    "static",
    "today.about",
    "today.hide",
}


@dataclass(frozen=True)
class _Address:
    endpoint: str
    method: str
    path: str
    has_id: bool


def _rules(app: Flask) -> list[Rule]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]
    return sorted(rules, key=lambda one: (one.rule, sorted(one.methods or ())))


def _addresses(app: Flask, values: dict[str, Any]) -> Iterator[_Address]:
    """Yield every address with its parameters filled in.

    A KeyError here means: a new parameter. Give it a value in _values, inside and outside.
    """
    adapter = app.url_map.bind("localhost")
    for rule in _rules(app):
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            filled = {
                name: values.get(f"{rule.endpoint}:{name}") or values[name]
                for name in rule.arguments
            }
            path = adapter.build(rule.endpoint, filled, method=method)
            yield _Address(rule.endpoint, method, path, bool(rule.arguments))


NOTHING: dict[str, Any] = {
    "joined": [],
    "withdrawn": {},
    "moved": {},
    "left": {},
    "fields": {},
    "kept_talks": [],
}

# The step that a list must be at for each page of it.
_STEPS = {
    "show": "done",
    "check": "checked",
    "save_check": "checked",
    "start": "checked",
    "problems": "checked",
    "values": "checked",
    "save_values": "checked",
    "stop": "importing",
    "go_on": "stopped",
    "undo": "done",
}


def _values(
    world: World, contact: Named, workplace: Named, union: Named, branch: Named, owner: Named
) -> dict[str, Any]:
    """Store one of each thing at the workplace and return the public ids by parameter name."""
    at = {"place_id": workplace.id}
    fact = {"recorded_at": NOW}
    with unit_of_work(ALL) as session:
        rows: dict[str, Any] = {
            "point_id": ContactPoint(
                contact_id=contact.id,
                kind="phone",
                value="07700 900123",
                value_key="447700900123",
                **fact,
            ),
            "basis_id": FieldBasis(
                contact_id=contact.id,
                field_group="identity",
                basis="consent",
                given_on=TODAY,
                **fact,
            ),
            "talk_id": Conversation(
                contact_id=contact.id, day=TODAY, held_at=NOW, recorded_at=NOW, **at
            ),
            "follow_up_id": FollowUp(
                contact_id=contact.id, owner_id=owner.id, due_on=TODAY, created_at=NOW, **at
            ),
            "headcount_id": Headcount(
                on_day=TODAY, counts="site_all", low=9, high=11, source_kind="other", **at, **fact
            ),
            "member_count_id": MemberCount(
                on_day=TODAY, members=3, union_id=union.id, source_kind="other", **at, **fact
            ),
            "shift_id": Shift(name="Twilight", **at),
            "turf_id": Turf(user_id=owner.id, valid_from=TODAY, **at, **fact),
            "move_id": TurfMove(owner_id=owner.id, made_at=NOW),
            "talk_list_id": TalkList(owner_id=owner.id, workplace_id=workplace.id, made_at=NOW),
            "recipe_id": ReportRecipe(
                owner_id=owner.id,
                unit_id=workplace.id,
                name="Meeting",
                parts=["density"],
                since=TODAY,
                as_at=TODAY,
                saved_at=NOW,
            ),
            "file_id": ReportFile(
                owner_id=owner.id,
                unit_id=workplace.id,
                sort="pdf",
                since=TODAY,
                as_at=TODAY,
                figures=1,
                content=b"%PDF-",
                made_at=NOW,
                expires_at=datetime.now(UTC) + timedelta(days=1),
            ),
            "unit_id": BargainingUnit(name="Hourly staff", **at),
            "task_id": BackgroundTask(owner_id=owner.id, kind="none", payload={}, created_at=NOW),
            "import_id": make_list(owner.id, "matching"),
            **{
                f"imports.{page}:import_id": make_list(owner.id, state, workplace.public_id)
                for page, state in _STEPS.items()
            },
            "kept_id": KeptTalk(
                owner_id=owner.id,
                talk_id=uuid.uuid4(),
                contact_public_id=contact.public_id,
                fields={"their_words": ["Later."]},
                typed_at=NOW,
                kept_at=NOW,
            ),
        }
        session.add_all(rows.values())
        session.flush()
        session.add_all(
            [
                Recognition(
                    unit_id=rows["unit_id"].id,
                    union_id=union.id,
                    valid_from=TODAY,
                    **at,
                    **fact,
                ),
                UnionAffiliation(union_id=union.id, body_name="TUC", valid_from=TODAY, **fact),
            ]
        )
        site = session.scalars(ALL.select(Place).where(Place.id == workplace.id)).one()
        area = factories.make_area(session, site, f"Canteen of {workplace.name}")
        rows["act_id"] = BulkAction(owner_id=owner.id, kind="reminder", people=1, made_at=NOW)
        session.add(rows["act_id"])
        session.flush()
        rows["list_id"] = factories.make_saved_list(session, owner, stand=["2"])
        rows["tag_id"] = factories.make_tag(session, branch)
        rows["field_id"] = factories.make_field(session, branch, choices=("47", "X10"))
        rows["choice_id"] = session.scalars(
            ALL.select(FieldChoice).where(FieldChoice.field_id == rows["field_id"].id)
        ).first()
        job = session.scalars(ALL.select(Job).where(Job.contact_id == contact.id)).first()
        membership = session.scalars(
            ALL.select(Membership).where(Membership.contact_id == contact.id)
        ).first()
        other = factories.make_person(session, site, f"Colleague at {workplace.name}")
        whose_site = session.execute(
            ALL.select(Workplace.employer_id).where(Workplace.id == workplace.id)
        ).scalar_one()
        owner_of_site = session.scalars(ALL.select(Place).where(Place.id == whose_site)).one()
        other_site = factories.make_workplace(session, owner_of_site, f"By {workplace.name}")
        here = {"workplace_id": site.id, "contact_id": contact.id, "valid_from": TODAY}
        tie = Tie(leader_id=other.id, basis="seen", **here, **at, **fact)
        leading = Leading(stage="identified", found_by="named", **here, **at, **fact)
        case = Case(
            reference=f"Rota at {workplace.name}",
            kind="individual",
            matter="hours",
            opened_on=TODAY,
            created_at=NOW,
            **at,
        )
        session.add_all([tie, leading, case])
        session.flush()
        in_case = {"case_id": case.id}
        deadline = CaseDeadline(due_on=TODAY, what="Appeal", created_at=NOW, **in_case)
        person = CasePerson(contact_id=contact.id, role="whose_case", added_at=NOW, **in_case)
        member = CaseTeamMember(user_id=owner.id, joined_at=NOW, **in_case)
        batch_id = uuid.uuid4()
        carried = {"carrier_id": owner.id, "made_by_id": owner.id, "made_at": NOW}
        sheet = Sheet(
            code=new_code(),
            batch_id=batch_id,
            number=1,
            names="short",
            large=False,
            **carried,
            **at,
        )
        session.add_all([deadline, person, member, sheet])
        session.flush()
        session.add(SheetLine(sheet_id=sheet.id, number=1, contact_id=contact.id))
        ballot = Ballot(
            name=f"Pay at {workplace.name}",
            kind="action",
            union_id=union.id,
            jurisdiction="GB",
            separate=True,
            opens_on=date(2026, 11, 1),
            closes_on=date(2026, 11, 20),
            created_at=NOW,
            **at,
        )
        session.add(ballot)
        session.flush()
        in_ballot = {"ballot_id": ballot.id}
        part = BallotPart(jurisdiction="GB", **at, **in_ballot)
        session.add_all([part, BallotQuestion(number=1, kind="strike", **at, **in_ballot)])
        group = SocialGroup(
            name="Bus 22", kind="car_share", need_to_know=False, created_at=NOW, **at
        )
        session.add_all([tie, leading, group])
        session.flush()
        member = GroupMember(
            group_id=group.id, contact_id=contact.id, valid_from=TODAY, **at, **fact
        )
        session.add(member)
        campaign, demand, test, listed = factories.make_test(session, site, contact)
        session.flush()
        gone = Contact(known_as="Gone", name_key="gone", created_at=NOW, merged_into_id=contact.id)
        session.add(gone)
        session.flush()
        member_list = factories.make_member_list(session, owner.id, union.id, as_at=TODAY, now=NOW)
        list_act = factories.make_list_act(session, member_list, now=NOW)
        merged = MergedPerson(
            contact_id=contact.id, gone_id=gone.id, gone_name="Gone", merged_at=NOW, done=NOTHING
        )
        session.add(merged)
        session.flush()
        assert job is not None
        assert membership is not None
        assert isinstance(area, Area)
        values = {name: row.public_id for name, row in rows.items()}
        return values | {
            "contact_id": contact.public_id,
            "job_id": job.public_id,
            "membership_id": membership.public_id,
            "place_id": workplace.public_id,
            "workplace_id": workplace.public_id,
            "area_id": area.public_id,
            "kind": "phone",
            "sort": "pdf",
            "look": "rota",
            "member_list_id": member_list.public_id,
            "list_act_id": list_act.public_id,
            "queue_name": "joined",
            "one_id": contact.public_id,
            "other_place_id": other_site.public_id,
            "other_id": other.public_id,
            "merge_id": merged.public_id,
            "tie_id": tie.public_id,
            "leading_id": leading.public_id,
            "ballot_id": ballot.public_id,
            "part_id": part.public_id,
            "letter": "ballot_notice",
            "case_id": case.public_id,
            "deadline_id": deadline.public_id,
            "in_case_id": person.public_id,
            "state": "done",
            "sheet_id": sheet.public_id,
            "batch_id": batch_id,
            "group_id": group.public_id,
            "member_id": member.public_id,
            "campaign_id": campaign.public_id,
            "demand_id": demand.public_id,
            "test_id": test.public_id,
            "entry_id": listed.public_id,
            "token": "not-a-token",
            "register_name": "member-counts",
            "count_id": rows["headcount_id"].public_id,
            "workplaces.correct_member_count:count_id": rows["member_count_id"].public_id,
            "workplaces.withdraw_member_count:count_id": rows["member_count_id"].public_id,
        }


def _account(user: Named) -> dict[str, Any]:
    factories.open_session(user.id)
    with unit_of_work(ALL) as session:
        grant = session.query(AccessGrant).filter_by(user_id=user.id).first()
        device = session.query(UserSession).filter_by(user_id=user.id).first()
        assert grant is not None
        assert device is not None
        notice = AccountNotice(user_id=user.id, kind="link_made", about_id=user.id, made_at=NOW)
        session.add(notice)
        session.flush()
        return {
            "user_id": user.public_id,
            "grant_id": grant.public_id,
            "device_id": device_key(device.token_hash),
            "notice_id": notice.public_id,
        }


@pytest.fixture
def inside(world: World) -> dict[str, Any]:
    """Public ids of one of each thing at the Mill, in Barnsley branch."""
    return _values(world, world.ioana, world.mill, world.union, world.branch, world.organiser) | {
        "employer_id": world.brightway.public_id,
        "union_id": world.union.public_id,
        "branch_id": world.branch.public_id,
        **_account(world.rep),
    }


@pytest.fixture
def outside(world: World) -> dict[str, Any]:
    """Public ids of one of each thing at the Dock, which only Hull branch holds."""
    return _values(
        world, world.docker, world.dock, world.other_union, world.other_branch, world.dock_rep
    ) | {
        "employer_id": world.saltway.public_id,
        # Unions and branches are public knowledge, so an outsider's are random ids here.
        "union_id": uuid.uuid4(),
        "branch_id": uuid.uuid4(),
        **_account(world.dock_rep),
    }


# Declared


def test_every_endpoint_declares_who_may_use_it(app: Flask) -> None:
    for rule in _rules(app):
        access = getattr(app.view_functions[rule.endpoint], "access", None)
        assert access == "public" or isinstance(access, Permission), rule.endpoint


def test_the_list_of_public_endpoints_is_this_one(app: Flask) -> None:
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint == "static"
        or getattr(app.view_functions[rule.endpoint], "access", None) == "public"
    }
    assert public - {"practice.choose"} == PUBLIC


def test_an_endpoint_that_declares_nothing_is_refused(
    app: Flask, world: World, client_as: Clients
) -> None:
    client = client_as(world.boss_of_all)
    assert client.get("/people").status_code == 200
    view = app.view_functions["contacts.index"]
    app.view_functions["contacts.index"] = lambda: "open to all by mistake"
    try:
        assert client.get("/people").status_code == 403
    finally:
        app.view_functions["contacts.index"] = view


def test_ids_in_addresses_are_random_and_typed(app: Flask) -> None:
    for rule in _rules(app):
        for converter, name in re.findall(r"<(?:([a-z]+)(?:\([^)]*\))?:)?(\w+)>", rule.rule):
            allowed = {"uuid", "any"} if name != "token" else {""}
            assert converter in allowed, rule.rule


# Strangers


def test_a_stranger_is_asked_to_sign_in_everywhere_else(
    app: Flask, client: FlaskClient, inside: dict[str, Any]
) -> None:
    for address in _addresses(app, inside):
        if address.endpoint in PUBLIC:
            continue
        reply = client.open(address.path, method=address.method)
        # Signing out when nobody is signed in leads to the sign-in page, and loses nothing.
        to_sign_in = address.method == "GET" or address.endpoint == "accounts.sign_out"
        expected = 303 if to_sign_in else 401
        assert reply.status_code == expected, address
        if address.method == "GET":
            assert reply.location.startswith("/sign-in?next="), address


def test_every_answer_has_the_headers(
    app: Flask, client: FlaskClient, client_as: Clients, world: World, inside: dict[str, Any]
) -> None:
    paths = [address.path for address in _addresses(app, inside) if address.method == "GET"]
    paths += ["/static/app.css", "/nowhere", f"/people/{uuid.uuid4()}"]
    for one in (client, client_as(world.organiser)):
        for path in paths:
            reply = one.get(path)
            for name, value in HEADERS.items():
                assert reply.headers.get(name) == value, (path, name)
            if not path.startswith("/static"):
                assert reply.headers["Cache-Control"] == "no-store", path
            assert "Server" not in reply.headers
        refused = one.post("/people/new", data={"x": "y" * 70_000})
        assert refused.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


# Roles


@pytest.mark.parametrize("who", ["rep", "organiser", "officer", "admin", "boss_of_all"])
def test_a_role_without_the_permission_gets_403_and_nothing_breaks(
    app: Flask, client_as: Clients, world: World, inside: dict[str, Any], who: str
) -> None:
    from crm.access.permissions import ROLE_PERMISSIONS

    roles = {"boss_of_all": Role.ORGANISER, "admin": Role.ADMINISTRATOR, "rep": Role.REP}
    roles |= {"organiser": Role.ORGANISER, "officer": Role.BRANCH_OFFICER}
    held = ROLE_PERMISSIONS[roles[who]]
    client = client_as(getattr(world, who))
    for address in _addresses(app, inside):
        if address.endpoint == "accounts.sign_out":
            continue
        access = app.view_functions[address.endpoint].access  # type: ignore[attr-defined]
        reply = client.open(address.path, method=address.method)
        if address.method == "POST":
            # Some posts end sessions.
            client = client_as(getattr(world, who))
        if access != "public" and access not in held:
            assert reply.status_code == 403, address
        else:
            assert reply.status_code < 500, address
            assert reply.status_code != 403, address


# Outsiders


@pytest.mark.parametrize("who", ["rep", "organiser", "officer", "boss_elsewhere"])
def test_what_belongs_to_another_branch_is_not_found(
    app: Flask, client_as: Clients, world: World, outside: dict[str, Any], who: str
) -> None:
    if who == "boss_elsewhere":
        with unit_of_work(ALL) as session:
            branch = session.scalars(ALL.select(Place).where(Place.id == world.branch.id)).one()
            user = factories.make_user(session, "Everything here", role=Role.REP, place=branch)
            for role in (Role.ORGANISER, Role.BRANCH_OFFICER):
                factories.make_grant(session, user, role, branch)
            person = Named(user.id, user.public_id, user.name)
    else:
        person = getattr(world, who)
    client = client_as(person)
    nobody = outside | {
        name: uuid.uuid4() for name, value in outside.items() if isinstance(value, uuid.UUID)
    }
    pairs = zip(_addresses(app, outside), _addresses(app, nobody), strict=True)
    tried = 0
    for address, absent in pairs:
        access = app.view_functions[address.endpoint].access  # type: ignore[attr-defined]
        if not address.has_id or access == "public":
            continue
        reply = client.open(address.path, method=address.method)
        other = client.open(absent.path, method=absent.method)
        assert reply.status_code in {403, 404}, address
        assert reply.status_code == other.status_code, address
        assert _body(reply.text) == _body(other.text), address
        if access in _BRANCH_ROLES:
            assert who != "boss_elsewhere" or reply.status_code == 404, address
        tried += 1
    assert tried > 30


_BRANCH_ROLES = {
    Permission.CONTACT_READ,
    Permission.CONTACT_WRITE,
    Permission.CONVERSATION_WRITE,
    Permission.TURF_WRITE,
    Permission.BALLOT_WRITE,
    Permission.PLACE_READ,
    Permission.PLACE_WRITE,
    Permission.DECISION_WRITE,
    Permission.DENSITY_READ,
}


def _body(text: str) -> str:
    """The page without what differs between any two answers."""
    text = re.sub(r'(name="csrf_token" value=")[^"]*', r"\1", text)
    return re.sub(r"<code>[0-9a-f]{16}</code>", "<code></code>", text)


_NAMES = {
    # "Night packer 3" is left out: it is also the example beside the empty form.
    "mill": {"Ioana P", "Tomasz K", "Rukhsana A", "Gareth O"},
    "depot": {"Marta S"},
    "dock": {"Bilal H"},
}
_PLACES_OF = {
    "mill": {"mill"},
    "depot": {"depot"},
    "dock": {"dock"},
    "brightway": {"mill", "depot"},
    "saltway": {"dock"},
    "branch": {"mill", "depot"},
    "other_branch": {"dock"},
    "region": {"mill", "depot"},
    "union": {"mill", "depot"},
}


# Every address for every example: on a busy machine that is more than the usual two minutes.
@pytest.mark.timeout(300)
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    grants=st.lists(
        st.tuples(
            st.sampled_from([Role.REP, Role.ORGANISER, Role.BRANCH_OFFICER]),
            st.sampled_from(sorted(_PLACES_OF)),
        ),
        min_size=1,
        max_size=3,
    ),
    ended=st.booleans(),
    query=st.sampled_from(["", "?q=a", "?q=Bilal", "?q=Ioana", "?as_at=2026-02-01"]),
)
def test_random_grants_never_show_a_name_from_outside(
    app: Flask,
    client_as: Clients,
    world: World,
    inside: dict[str, Any],
    outside: dict[str, Any],
    grants: list[tuple[Role, str]],
    ended: bool,
    query: str,
) -> None:
    with unit_of_work(ALL) as session:
        user = factories.make_user(session, "Somebody")
        for role, node in grants:
            place = session.scalars(
                ALL.select(Place).where(Place.id == getattr(world, node).id)
            ).one()
            factories.make_grant(session, user, role, place, until=TODAY if ended else None)
        person = Named(user.id, user.public_id, user.name)
    reached: set[str] = set()
    if not ended:
        for _, node in grants:
            reached |= _PLACES_OF[node]
    hidden = set().union(*(names for site, names in _NAMES.items() if site not in reached))
    client = client_as(person)
    # An address without an id is the same inside and outside, and is asked once.
    asked = {
        address.path
        for values in (inside, outside)
        for address in _addresses(app, values)
        if address.method == "GET" and address.endpoint not in PUBLIC
    }
    assert len(asked) > 250
    for path in sorted(asked):
        reply = client.get(path + query)
        for name in hidden:
            assert name.encode() not in reply.data, (path, name)


def test_the_scope_is_made_anew_for_each_request(
    app: Flask, client_as: Clients, world: World
) -> None:
    client = client_as(world.rep)
    assert client.get(f"/people/{world.ioana.public_id}").status_code == 200
    with unit_of_work(ALL) as session:
        for grant in session.query(AccessGrant).filter_by(user_id=world.rep.id):
            grant.valid_to = TODAY
    assert client.get(f"/people/{world.ioana.public_id}").status_code in {403, 404}
    assert "scope" not in g
