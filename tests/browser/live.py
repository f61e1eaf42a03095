"""The app behind its own server on a free port, with people in it, for tests that use a browser."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from flask import Flask, render_template
from waitress import wasyncore

from crm import cli
from crm.access.scope import Scope
from crm.app import create_app
from crm.domain.roles import Role
from crm.domain.sheet import new_code
from crm.domain.vocabulary import TaskState
from crm.features.accounts import service as accounts
from crm.models.accounts import AccessGrant, AccountNotice, UserAccount
from crm.models.ballots import (
    Ballot,
    BallotCount,
    BallotEntry,
    BallotPart,
    BallotQuestion,
)
from crm.models.cases import Case, CaseDeadline, CaseEntry, CasePerson, CaseTeamMember
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership
from crm.models.conversations import (
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
    KeptTalk,
)
from crm.models.lists import BulkAction, BulkEntry, ContactAnswer, ContactTag, FieldChoice
from crm.models.merging import MergedPerson
from crm.models.places import (
    BargainingUnit,
    Headcount,
    MemberCount,
    Recognition,
    Shift,
    UnionAffiliation,
)
from crm.models.reports import ReportFile, ReportRecipe
from crm.models.sheets import Sheet, SheetLine
from crm.models.talk_lists import TalkList, TalkListEntry
from crm.models.tasks import BackgroundTask
from crm.models.ties import GroupMember, Leading, SocialGroup, Tie
from crm.models.turf import Turf, TurfMove, TurfPerson
from crm.web import migrating, serving
from crm.web.db import db, unit_of_work
from tests import factories
from tests.conftest import app_settings
from tests.factories import ALL, LONG_AGO, NOW, TODAY, World
from tests.features.imports.lists import make_list, make_rows

if TYPE_CHECKING:
    from playwright.sync_api import Page

Found = TypeVar("Found")

# Only here, never in the app itself.
ERROR_PAGE = "browser_error_page"


@dataclass(frozen=True)
class Live:
    """A served app. address: http://127.0.0.1:PORT, without a slash at the end.

    world: the small world, or None. ids: values for the parameters of every route, or empty;
    a key ``endpoint:name`` goes before ``name``. users: inner ids of users by a short name.
    """

    app: Flask
    address: str
    world: World | None
    ids: dict[str, Any]
    users: dict[str, int]

    def sign_in(self, page: Page, who: str) -> None:
        """Give the page's browser the cookie of a new session of that user."""
        with self.app.app_context():
            token = factories.open_session(self.users[who])
        signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        value = signer.dumps({"_user_id": token, "_fresh": True})
        page.context.add_cookies(
            [{"name": "s", "value": value, "url": self.address, "httpOnly": True}]
        )

    def read(self, question: Callable[[Any], Found]) -> Found:
        """Return what the function finds in a session that sees everything."""
        with self.app.app_context(), unit_of_work(ALL, read_only=True) as session:
            return question(session)

    def paths(self) -> dict[str, str]:
        """Return the address of every page that is read, by endpoint, with its ids filled in.

        A KeyError here means: a new parameter. Give it a value in ``one_of_each``.
        """
        adapter = self.app.url_map.bind("localhost")
        found = {}
        for rule in sorted(self.app.url_map.iter_rules(), key=lambda one: one.rule):
            if rule.endpoint not in {"static", ERROR_PAGE} and "GET" in (rule.methods or set()):
                values = {
                    name: self.ids.get(f"{rule.endpoint}:{name}") or self.ids[name]
                    for name in rule.arguments
                }
                found[rule.endpoint] = adapter.build(rule.endpoint, values, method="GET")
        return found


@contextmanager
def serve(app: Flask) -> Iterator[str]:
    """Serve the app from a thread on a free port; yield its address."""
    server: Any = serving.bind(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # Closed by its own thread: the loop would trip over sockets that another thread closes.
        server.pull_trigger()
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join(timeout=10)
        server.task_dispatcher.shutdown()
        with app.app_context():
            db.engine.dispose()


@contextmanager
def small_world(database_url: str, folder: Path, **changes: Any) -> Iterator[Live]:
    """Serve the small world with one of each thing that a route can name."""
    app = _made(database_url, folder, **changes)
    with app.app_context():
        world = factories.make_world()
        ids = one_of_each(world)
        users = {
            name: getattr(world, name).id
            for name in ("rep", "organiser", "officer", "admin", "dock_rep", "boss_of_all")
        }
    with serve(app) as address:
        yield Live(app, address, world, ids, users)


@contextmanager
def empty(database_url: str, folder: Path, **changes: Any) -> Iterator[Live]:
    """Serve an app in which nobody has an account yet."""
    app = _made(database_url, folder, **changes)
    with serve(app) as address:
        yield Live(app, address, None, {}, {})


def _made(database_url: str, folder: Path, **changes: Any) -> Flask:
    # A defect is answered as a server answers it: the tests look at the status of every answer.
    settings = {"WTF_CSRF_ENABLED": True, "PROPAGATE_DEFECTS": False, **changes}
    app = create_app(app_settings(database_url, folder, **settings))
    app.add_url_rule("/error-page/<int:status>", ERROR_PAGE, _error_page)
    with app.app_context():
        migrating.upgrade()
    return app


def _error_page(status: int) -> tuple[str, int]:
    """Show the page of an error that a test cannot easily bring about, as the app shows it."""
    return render_template(f"errors/{status}.html", text="Enter a day."), status


_error_page.access = "public"  # type: ignore[attr-defined]


@contextmanager
def practice(database_url: str, folder: Path, **changes: Any) -> Iterator[Live]:
    """Serve the practice copy with its invented people; users: by their first names, small."""
    app = _made(database_url, folder, PRACTICE=True, **changes)
    with app.app_context():
        made = cli.fill_practice(today=datetime.now(UTC).date(), now=datetime.now(UTC))
        with unit_of_work(ALL, read_only=True) as session:
            rows = session.execute(sa.select(UserAccount.id, UserAccount.name)).all()
        users = {row.name.split()[0].lower(): row.id for row in rows}
        ids = {"place_id": made.workplaces[0][1]}
    with serve(app) as address:
        yield Live(app, address, None, ids, users)


def one_of_each(world: World) -> dict[str, Any]:
    """Store one of each thing at the Mill; return public ids by the parameters of the routes."""
    at = {"place_id": world.mill.id}
    fact = {"recorded_at": NOW}
    of_ioana = {"contact_id": world.ioana.id}
    now = datetime.now(UTC)
    yesterday = now.date() - timedelta(days=1)
    with unit_of_work(ALL) as session:
        talk = Conversation(
            day=yesterday,
            held_at=now,
            recorded_at=now,
            held_by_id=world.rep.id,
            asked="join",
            answer="not_yet",
            channel="in_person",
            steps_reached=["issues"],
            **at,
            **of_ioana,
        )
        point = ContactPoint(
            kind="phone", value="07700 900123", value_key="447700900123", **of_ioana, **fact
        )
        basis = FieldBasis(
            field_group="identity", basis="consent", given_on=TODAY, **of_ioana, **fact
        )
        follow_up = FollowUp(
            owner_id=world.rep.id, due_on=yesterday, created_at=now, **at, **of_ioana
        )
        headcount = Headcount(
            on_day=LONG_AGO, counts="site_all", low=9, high=11, source_kind="other", **at, **fact
        )
        count = MemberCount(
            on_day=LONG_AGO, members=3, union_id=world.union.id, source_kind="other", **at, **fact
        )
        unit = BargainingUnit(name="Hourly staff", **at)
        task = BackgroundTask(
            owner_id=world.admin.id,
            kind="load-register",
            payload={},
            created_at=now,
            finished_at=now,
            state=TaskState.DONE,
            message="The register is loaded.",
            result={
                "counts": {"employers": {"new": 2, "changed": 0, "unchanged": 1}},
                "problem_count": 1,
                "rows_left_out": 1,
                "problems": [
                    {
                        "file": "employers",
                        "row": 3,
                        "column": "EmployerName",
                        "value": "",
                        "message": "The name is missing. Put it in and load the file again.",
                        "left_out": True,
                    }
                ],
            },
        )
        mine = {"user_id": world.rep.id, "valid_from": LONG_AGO, **fact}
        turf = Turf(place_id=world.packing.id, **mine)
        move = TurfMove(owner_id=world.organiser.id, from_user_id=world.rep.id, made_at=now)
        session.add_all(
            [
                turf,
                move,
                TurfPerson(workplace_id=world.mill.id, contact_id=world.tomasz.id, **at, **mine),
            ]
        )
        kept = KeptTalk(
            owner_id=world.organiser.id,
            talk_id=uuid.uuid4(),
            contact_public_id=world.ioana.public_id,
            fields={"rating": ["2"], "their_words": ["Ask me later."]},
            reason="This day has not come yet. Choose today or a day before.",
            typed_at=NOW,
            kept_at=NOW,
        )
        here = {"workplace_id": world.mill.id, "valid_from": LONG_AGO, **at, **fact}
        tie = Tie(
            leader_id=world.tomasz.id, basis="self", said_by_id=world.ioana.id, **of_ioana, **here
        )
        leading = Leading(contact_id=world.tomasz.id, stage="identified", found_by="named", **here)
        group = SocialGroup(
            name="Bus 22", kind="car_share", need_to_know=False, created_at=NOW, **at
        )
        session.add_all([tie, leading, group])
        session.flush()
        member = GroupMember(
            group_id=group.id, contact_id=world.tomasz.id, valid_from=LONG_AGO, **at, **fact
        )
        session.add(member)
        recipe = ReportRecipe(
            owner_id=world.officer.id,
            unit_id=world.branch.id,
            name="Branch meeting",
            parts=["changes", "density"],
            since=yesterday - timedelta(days=28),
            as_at=yesterday,
            saved_at=now,
        )
        report_file = ReportFile(
            owner_id=world.officer.id,
            unit_id=world.branch.id,
            sort="pdf",
            since=yesterday - timedelta(days=28),
            as_at=yesterday,
            figures=1,
            content=b"%PDF-",
            made_at=now,
            expires_at=now + timedelta(days=1),
        )
        session.add_all([recipe, report_file])
        talk_list = TalkList(owner_id=world.rep.id, workplace_id=world.mill.id, made_at=now)
        given = FollowUp(
            owner_id=world.rep.id,
            contact_id=world.tomasz.id,
            due_on=now.date() + timedelta(days=7),
            created_at=now,
            **at,
        )
        session.add_all([talk_list, given])
        session.add_all([talk, point, basis, follow_up, headcount, count, unit, task, kept])
        session.flush()
        session.add_all(
            [
                ConversationNote(
                    conversation_id=talk.id,
                    author_id=world.rep.id,
                    their_words="Ask me after the meeting.",
                    **at,
                    **of_ioana,
                ),
                ConversationIssue(conversation_id=talk.id, issue="pay", **at, **of_ioana),
                Recognition(
                    unit_id=unit.id, union_id=world.union.id, valid_from=LONG_AGO, **at, **fact
                ),
                UnionAffiliation(
                    union_id=world.union.id, body_name="TUC", valid_from=LONG_AGO, **fact
                ),
                TalkListEntry(
                    follow_up_id=given.id,
                    talk_list_id=talk_list.id,
                    contact_id=world.tomasz.id,
                    **at,
                ),
            ]
        )
        case = Case(
            reference="Rota, autumn",
            kind="collective",
            matter="hours",
            opened_on=yesterday,
            affected=12,
            created_at=now,
            **at,
        )
        session.add(case)
        session.flush()
        gone = Contact(
            known_as="Ioana Pop",
            name_key="ioana pop",
            created_at=now,
            merged_into_id=world.ioana.id,
        )
        session.add(gone)
        session.flush()
        merged = MergedPerson(
            gone_id=gone.id,
            gone_name="Ioana Pop",
            merged_at=now,
            merged_by_id=world.rep.id,
            done={"joined": [], "withdrawn": {}, "moved": {}, "left": {}, "fields": {}},
            **of_ioana,
        )
        session.add(merged)
        member_list = factories.make_member_list(
            session,
            world.rep.id,
            world.union.id,
            as_at=yesterday,
            now=now,
            rows=(["Anna Nowak", "The Mill"],),
        )
        list_act = factories.make_list_act(session, member_list, now=now)
        in_case = {"case_id": case.id}
        deadline = CaseDeadline(due_on=yesterday, what="Send the appeal", created_at=now, **in_case)
        person = CasePerson(contact_id=world.ioana.id, role="whose_case", added_at=now, **in_case)
        batch_id = uuid.uuid4()
        sheet = Sheet(
            code=new_code(),
            batch_id=batch_id,
            number=1,
            names="short",
            large=False,
            ask="join",
            carrier_id=world.rep.id,
            made_by_id=world.rep.id,
            made_at=now,
            **at,
        )
        session.add(sheet)
        session.flush()
        session.add_all(
            SheetLine(sheet_id=sheet.id, number=number, contact_id=one.id)
            for number, one in enumerate((world.ioana, world.tomasz, world.rukhsana), start=1)
        )
        # All who look at every page are on its team, so that the pages of a case are looked at.
        session.add_all(
            [
                deadline,
                person,
                CaseEntry(
                    day=yesterday,
                    step="meeting",
                    words="They will answer in writing.",
                    author_id=world.rep.id,
                    recorded_at=now,
                    **in_case,
                ),
                *(
                    CaseTeamMember(user_id=one.id, joined_at=now, **in_case)
                    for one in (world.rep, world.organiser, world.boss_of_all)
                ),
            ]
        )
        ballot = Ballot(
            name="Pay 2027",
            kind="action",
            union_id=world.union.id,
            jurisdiction="GB",
            separate=True,
            opens_on=yesterday - timedelta(days=20),
            closes_on=yesterday,
            last_post_on=yesterday - timedelta(days=2),
            created_at=now,
            **at,
        )
        session.add(ballot)
        session.flush()
        in_ballot = {"ballot_id": ballot.id}
        part = BallotPart(jurisdiction="GB", stated_members=12, **at, **in_ballot)
        question = BallotQuestion(number=1, kind="strike", **at, **in_ballot)
        session.add_all([part, question])
        session.flush()
        session.add_all(
            [
                BallotCount(
                    question_id=question.id,
                    part_id=part.id,
                    entitled=12,
                    cast=7,
                    yes=6,
                    no=1,
                    spoiled=0,
                    recorded_at=now,
                    **at,
                    **in_ballot,
                ),
                BallotEntry(
                    part_id=part.id, entitled=True, category="Packer", **of_ioana, **at, **in_ballot
                ),
            ]
        )
        job = session.scalars(ALL.select(Job).where(Job.contact_id == world.ioana.id)).one()
        membership = session.scalars(
            ALL.select(Membership).where(Membership.contact_id == world.ioana.id)
        ).one()
        shift = session.scalars(ALL.select(Shift).where(Shift.id == world.nights.id)).one()
        grant = session.scalars(
            sa.select(AccessGrant).where(AccessGrant.user_id == world.rep.id)
        ).one()
        notice = AccountNotice(
            user_id=world.admin.id,
            kind="role_given",
            about_id=world.rep.id,
            role=Role.REP,
            place_id=world.mill.id,
            made_at=now,
        )
        session.add(notice)
        session.flush()
        of_branch: Any = world.branch
        tag = factories.make_tag(session, of_branch)
        act = BulkAction(owner_id=world.rep.id, kind="tag", tag_id=tag.id, people=2, made_at=now)
        session.add(act)
        session.flush()
        session.add_all(
            BulkEntry(action_id=act.id, contact_id=one.id) for one in (world.ioana, world.tomasz)
        )
        saved = factories.make_saved_list(
            session,
            world.rep,
            share_with=of_branch,
            stand=["2", "3"],
            tag=[str(tag.public_id)],
            quiet=["30"],
        )
        field = factories.make_field(session, of_branch, choices=("47", "X10"))
        choice = session.scalars(
            ALL.select(FieldChoice).where(FieldChoice.field_id == field.id).order_by(FieldChoice.id)
        ).first()
        assert choice is not None
        by = {"set_at": now, "set_by_id": world.rep.id}
        session.add_all(
            [
                ContactTag(tag_id=tag.id, **of_ioana, **by),
                ContactAnswer(field_id=field.id, choice_id=choice.id, **of_ioana, **by),
            ]
        )
        for kind in ("number", "day", "yes_no", "text"):
            factories.make_field(session, of_branch, f"Field of {kind}", kind)
        factories.make_tag(session, of_branch, "Ballot site", "workplace")
        lists_in = {
            step: make_list(world.organiser.id, step, world.mill.public_id)
            for step in ("matching", "checked", "done")
        }
        session.add_all(lists_in.values())
        session.flush()
        session.add_all(make_rows(lists_in["checked"], world.tomasz.id))
        session.add_all(make_rows(lists_in["done"], stored=True))
        token = accounts.invite(
            session,
            Scope.everything(reason="tests look at the page of an open link"),
            "Somebody new",
            role=Role.REP,
            place_id=world.mill.public_id,
            since=LONG_AGO,
            until=None,
            now=now,
            key=uuid.uuid4(),
        )
        campaign, demand, test, listed = factories.make_test(session, world.mill, world.ioana)
        return {
            "campaign_id": campaign.public_id,
            "demand_id": demand.public_id,
            "test_id": test.public_id,
            "entry_id": listed.public_id,
            "contact_id": world.ioana.public_id,
            "point_id": point.public_id,
            "kind": "phone",
            "look": "rota",
            "kept_id": kept.public_id,
            "import_id": lists_in["matching"].public_id,
            "imports.values:import_id": lists_in["checked"].public_id,
            "imports.check:import_id": lists_in["checked"].public_id,
            "imports.problems:import_id": lists_in["checked"].public_id,
            "imports.show:import_id": lists_in["done"].public_id,
            "basis_id": basis.public_id,
            "list_id": saved.public_id,
            "act_id": act.public_id,
            "tag_id": tag.public_id,
            "field_id": field.public_id,
            "choice_id": choice.public_id,
            "talk_id": talk.public_id,
            "follow_up_id": follow_up.public_id,
            "count_id": headcount.public_id,
            "workplaces.correct_member_count:count_id": count.public_id,
            "workplaces.withdraw_member_count:count_id": count.public_id,
            "unit_id": unit.public_id,
            "ballot_id": ballot.public_id,
            "part_id": part.public_id,
            "letter": "ballot_notice",
            "case_id": case.public_id,
            "deadline_id": deadline.public_id,
            "in_case_id": person.public_id,
            "state": "done",
            "sheet_id": sheet.public_id,
            "batch_id": batch_id,
            "member_list_id": member_list.public_id,
            "list_act_id": list_act.public_id,
            "queue_name": "not_here",
            "one_id": world.ioana.public_id,
            "other_place_id": world.depot.public_id,
            "other_id": world.rukhsana.public_id,
            "merge_id": merged.public_id,
            "tie_id": tie.public_id,
            "leading_id": leading.public_id,
            "group_id": group.public_id,
            "member_id": member.public_id,
            "turf_id": turf.public_id,
            "move_id": move.public_id,
            "talk_list_id": talk_list.public_id,
            "recipe_id": recipe.public_id,
            "file_id": report_file.public_id,
            "sort": "pdf",
            "shift_id": shift.public_id,
            "task_id": task.public_id,
            "job_id": job.public_id,
            "membership_id": membership.public_id,
            "place_id": world.mill.public_id,
            "area_id": world.packing.public_id,
            "employer_id": world.brightway.public_id,
            "union_id": world.union.public_id,
            "branch_id": world.branch.public_id,
            "user_id": world.rep.public_id,
            "grant_id": grant.public_id,
            "device_id": uuid.uuid4(),
            "notice_id": notice.public_id,
            "register_name": "gender-pay",
            "token": token,
        }
