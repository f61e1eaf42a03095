"""Rules of accounts: roles and their days, the last administrator, links, the first start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from crm.access.scope import Grant, Scope
from crm.domain.errors import (
    AlreadyEnded,
    DatesOutOfOrder,
    NotFound,
    PermissionRefused,
    Refusal,
)
from crm.domain.roles import Role
from crm.features.accounts import passphrases, service
from crm.features.accounts.service import LastAdministrator
from crm.models.accounts import AccessGrant, AccountNotice, Invitation, UserAccount, UserSession
from crm.models.audit import AuditEntry
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import NOW, TODAY
from tests.features.accounts.signing import PASSPHRASE, make_signer

_LAST = (
    "This is the last administrator. Make somebody else an administrator first, "
    "and wait until they have signed in."
)


def _admin(user: factories.Named) -> Scope:
    return Scope(actor_id=user.id, grants=(Grant(Role.ADMINISTRATOR, 1, covers_everything=True),))


def _rows(model: Any, **where: Any) -> list[Any]:
    with unit_of_work(factories.ALL, read_only=True) as session:
        return list(
            session.scalars(factories.ALL.select(model).filter_by(**where).order_by(model.id))
        )


def _grant_ids(user: factories.Named) -> list[UUID]:
    return [row.public_id for row in _rows(AccessGrant, user_id=user.id, superseded_at=None)]


def _do(scope: Scope, act: Callable[..., Any], *args: Any, **more: Any) -> Any:
    with unit_of_work(scope) as session:
        return act(session, scope, *args, **more)


def _end(scope: Scope, user: factories.Named, until: date = TODAY) -> None:
    (grant,) = _grant_ids(user)
    _do(scope, service.end_grant, user.public_id, grant, until=until, now=NOW)


def test_ending_a_role_revises_the_fact_and_the_audit_names_who_did_it(
    world: factories.World,
) -> None:
    _end(_admin(world.admin), world.rep, until=TODAY + timedelta(days=3))
    old, new = _rows(AccessGrant, user_id=world.rep.id)
    assert (old.valid_to, old.superseded_at) == (None, NOW)
    assert (new.valid_from, new.valid_to) == (old.valid_from, TODAY + timedelta(days=3))
    assert new.recorded_by_id == world.admin.id
    entries = [
        (entry.verb.value, entry.actor_id)
        for entry in _rows(AuditEntry, subject="access_grant")
        if entry.subject_id in {old.id, new.id} and entry.actor_id is not None
    ]
    assert sorted(entries) == [("create", world.admin.id), ("update", world.admin.id)]


def test_a_role_cannot_end_in_the_past_because_it_was_held(world: factories.World) -> None:
    with pytest.raises(Refusal) as refused:
        _end(_admin(world.admin), world.rep, until=TODAY - timedelta(days=1))
    assert str(refused.value) == "Choose today or a later day."
    assert len(_rows(AccessGrant, user_id=world.rep.id)) == 1


def test_a_role_that_ended_cannot_end_again(world: factories.World) -> None:
    _end(_admin(world.admin), world.rep)
    with pytest.raises(AlreadyEnded):
        _end(_admin(world.admin), world.rep)


def test_a_role_that_has_not_begun_is_cancelled_and_can_be_given_anew(
    world: factories.World,
) -> None:
    admin, later = _admin(world.admin), TODAY + timedelta(days=30)
    give = {"role": Role.REP, "place_id": world.dock.public_id, "until": None, "now": NOW}
    _do(admin, service.add_grant, world.officer.public_id, since=later, **give)
    grant = _rows(AccessGrant, user_id=world.officer.id, valid_from=later)[0].public_id
    _do(admin, service.end_grant, world.officer.public_id, grant, until=TODAY, now=NOW)
    (kept,) = _rows(AccessGrant, user_id=world.officer.id, valid_from=later, superseded_at=None)
    assert kept.valid_to == later
    _do(admin, service.add_grant, world.officer.public_id, since=later, **give)


@pytest.mark.parametrize(
    ("since", "until", "refusal", "sentence"),
    [
        (TODAY, TODAY, DatesOutOfOrder,
         "The end date is before the start date. Check both dates."),
        (date(2026, 1, 1), date(2026, 2, 1), Refusal,
         "The role would be over already. Choose a later day for its end."),
        (TODAY, None, Refusal,
         "They have this role here already on some of these days. Check the dates."),
    ],
)  # fmt: skip
def test_a_role_with_wrong_days_is_refused(
    world: factories.World,
    since: date,
    until: date | None,
    refusal: type[Refusal],
    sentence: str,
) -> None:
    with pytest.raises(refusal) as refused:
        _do(
            _admin(world.admin),
            service.add_grant,
            world.rep.public_id,
            role=Role.REP,
            place_id=world.mill.public_id,
            since=since,
            until=until,
            now=NOW,
        )
    assert str(refused.value) == sentence


def test_an_administrator_over_less_than_everything_is_refused(world: factories.World) -> None:
    with pytest.raises(Refusal) as refused:
        _do(
            _admin(world.admin),
            service.add_grant,
            world.rep.public_id,
            role=Role.ADMINISTRATOR,
            place_id=world.mill.public_id,
            since=TODAY,
            until=None,
            now=NOW,
        )
    assert str(refused.value) == (
        "An administrator runs the whole server. Choose “Everything” as the place, "
        "or a different role."
    )


def test_only_an_administrator_may_change_users_whatever_page_asks(world: factories.World) -> None:
    rep = Scope(actor_id=world.rep.id, grants=(Grant(Role.ORGANISER, 1, covers_everything=True),))
    give = {
        "role": Role.REP,
        "place_id": world.mill.public_id,
        "since": TODAY,
        "until": None,
        "now": NOW,
    }
    for act, args, more in (
        (service.invite, ("X",), give),
        (service.add_grant, (world.rep.public_id,), give),
        (service.new_link, (world.rep.public_id,), {"now": NOW}),
        (service.deactivate, (world.admin.public_id,), {"now": NOW}),
        (service.reactivate, (world.admin.public_id,), {}),
        (
            service.end_grant,
            (world.rep.public_id, _grant_ids(world.rep)[0]),
            {"until": TODAY, "now": NOW},
        ),
    ):
        with pytest.raises(PermissionRefused):
            _do(rep, act, *args, **more)


def test_an_invitation_at_an_unknown_place_leaves_no_user_behind(world: factories.World) -> None:
    before = len(_rows(UserAccount))
    with pytest.raises(NotFound):
        _do(
            _admin(world.admin),
            service.invite,
            "Half saved",
            role=Role.REP,
            place_id=uuid4(),
            since=TODAY,
            now=NOW,
        )
    assert len(_rows(UserAccount)) == before
    assert not _rows(Invitation)


# The last administrator


@pytest.mark.parametrize(
    "others",
    [
        "nobody",
        "invited only",
        "closed",
        "for a time",
        "not begun",
    ],
)
def test_the_last_lasting_administrator_who_can_sign_in_stays(
    world: factories.World, others: str
) -> None:
    last = make_signer("Last One", role=Role.ADMINISTRATOR)
    if others != "nobody":
        with unit_of_work(factories.ALL) as session:
            other = factories.make_user(session, "Other", password_hash="x")
            factories.make_grant(
                session,
                other,
                Role.ADMINISTRATOR,
                since=TODAY + timedelta(days=1) if others == "not begun" else factories.LONG_AGO,
                until=TODAY + timedelta(days=9) if others == "for a time" else None,
            )
            if others == "invited only":
                other.password_hash = None
            other.active = others != "closed"
    scope = _admin(last)
    with pytest.raises(LastAdministrator) as refused:
        _end(scope, last)
    assert str(refused.value) == _LAST
    with pytest.raises(LastAdministrator):
        _end(scope, last, until=TODAY + timedelta(days=100))
    with pytest.raises(LastAdministrator):
        _do(scope, service.deactivate, last.public_id, now=NOW)
    assert _rows(UserAccount, id=last.id)[0].active


def test_with_a_second_administrator_one_may_leave_and_then_the_other_may_not(
    world: factories.World,
) -> None:
    one = make_signer("One Admin", role=Role.ADMINISTRATOR)
    two = make_signer("Two Admin", role=Role.ADMINISTRATOR)
    _do(_admin(one), service.deactivate, one.public_id, now=NOW)
    with pytest.raises(LastAdministrator):
        _end(_admin(two), two)


def test_an_administrator_who_never_signed_in_can_be_removed(world: factories.World) -> None:
    one = make_signer("One Admin", role=Role.ADMINISTRATOR)
    _end(_admin(one), world.admin)
    _do(_admin(one), service.deactivate, world.admin.public_id, now=NOW)
    with unit_of_work() as session:
        kept = session.query(UserAccount).filter_by(id=world.admin.id).one()
        assert not kept.active


# Links and the first start


def test_the_first_start_makes_one_administrator_over_everything_and_each_start_a_fresh_link(
    app: Flask,
) -> None:
    def _start() -> str | None:
        with unit_of_work() as session:
            return service.first_administrator_link(session, now=NOW)

    first, second = _start(), _start()
    assert first
    assert second
    assert first != second
    (user,) = _rows(UserAccount)
    (grant,) = _rows(AccessGrant)
    assert (user.name, user.password_hash) == ("Administrator", None)
    assert (grant.user_id, grant.role, grant.place_id) == (user.id, Role.ADMINISTRATOR, 1)
    assert [link.expires_at > NOW for link in _rows(Invitation)] == [False, True]

    def _accept(token: str) -> str:
        with unit_of_work() as session:
            return service.accept_invitation(
                session,
                token,
                name="Jo",
                sign_in_name="Jo Bloggs",
                password_hash=passphrases.hash_passphrase(PASSPHRASE),
                now=NOW,
            )

    with pytest.raises(NotFound):
        _accept(first)
    assert _accept(second)
    with pytest.raises(NotFound):
        _accept(second)
    assert _start() is None
    assert _rows(UserAccount)[0].sign_in_name == "jo bloggs"


def test_an_administrator_who_can_sign_in_needs_no_first_link(app: Flask) -> None:
    make_signer("An Admin", role=Role.ADMINISTRATOR)
    with unit_of_work() as session:
        assert service.first_administrator_link(session, now=NOW) is None
    assert not _rows(Invitation)


def test_a_closed_or_ended_administrator_does_not_count_at_the_first_start(app: Flask) -> None:
    closed = make_signer("Closed Admin", role=Role.ADMINISTRATOR)
    with unit_of_work() as session:
        session.get_one(UserAccount, closed.id).active = False
    with unit_of_work(factories.ALL) as session:
        factories.make_user(
            session, "Was Admin", role=Role.ADMINISTRATOR, until=TODAY, password_hash="x"
        )
    with unit_of_work() as session:
        assert service.first_administrator_link(session, now=NOW) is not None


def test_a_link_works_until_72_hours_are_over(world: factories.World) -> None:
    token = _do(_admin(world.admin), service.new_link, world.rep.public_id, now=NOW)
    with pytest.raises(NotFound), unit_of_work() as session:
        service.accept_invitation(
            session,
            token,
            name="Owen",
            sign_in_name="owen",
            password_hash="x",
            now=NOW + timedelta(hours=72),
        )
    with unit_of_work() as session:
        assert service.accept_invitation(
            session,
            token,
            name="Owen",
            sign_in_name="owen",
            password_hash="x",
            now=NOW + timedelta(hours=71, minutes=59),
        )


def test_a_refused_sign_in_name_leaves_link_and_user_as_they_were(world: factories.World) -> None:
    make_signer("Taken Name")
    token = _do(_admin(world.admin), service.new_link, world.rep.public_id, now=NOW)
    with pytest.raises(service.SignInNameTaken), unit_of_work() as session:
        service.accept_invitation(
            session, token, name="Changed", sign_in_name="TAKEN náme", password_hash="x", now=NOW
        )
    user = _rows(UserAccount, id=world.rep.id)[0]
    assert (user.name, user.password_hash) == ("Owen Rep", None)
    assert _rows(Invitation)[0].used_at is None
    assert not _rows(UserSession)


def test_closing_an_account_ends_its_links_and_sessions_in_the_same_moment(
    world: factories.World,
) -> None:
    factories.open_session(world.rep.id)
    _do(_admin(world.admin), service.new_link, world.rep.public_id, now=NOW)
    _do(_admin(world.admin), service.deactivate, world.rep.public_id, now=NOW)
    assert [one.ended_at for one in _rows(UserSession)] == [NOW]
    assert [one.expires_at for one in _rows(Invitation)] == [NOW]
    assert len(_grant_ids(world.rep)) == 1


def test_no_audit_row_of_accounts_holds_a_hash(world: factories.World) -> None:
    user = make_signer("Some One")
    token = _do(_admin(world.admin), service.new_link, user.public_id, now=NOW)
    secret = passphrases.hash_passphrase("otter mill copper radio")
    with unit_of_work() as session:
        service.accept_invitation(
            session, token, name=None, sign_in_name=None, password_hash=secret, now=NOW
        )
    hashes = {row.password_hash for row in _rows(UserAccount) if row.password_hash}
    hashes |= {row.token_hash for row in (*_rows(Invitation), *_rows(UserSession))}
    written = " ".join(f"{entry.old} {entry.new}" for entry in _rows(AuditEntry))
    assert secret in hashes
    assert "(hidden)" in written
    assert not [one for one in hashes if one in written]


def test_the_command_line_can_invite_a_further_administrator(app: Flask) -> None:
    scope = Scope.everything("test")
    with unit_of_work(scope) as session:
        token = service.invite_administrator(session, scope, name=" Jo ", now=NOW)
    (user,), (grant,) = _rows(UserAccount), _rows(AccessGrant)
    assert token
    assert (user.name, grant.role, grant.place_id) == ("Jo", Role.ADMINISTRATOR, 1)
    for name in ("  ", "x" * 121):
        with pytest.raises(Refusal) as refused, unit_of_work(scope) as session:
            service.invite_administrator(session, scope, name=name, now=NOW)
        assert str(refused.value) == "Enter a name of 120 letters or fewer."


# Who is told


def _give(scope: Scope, user: factories.Named, place: factories.Named) -> None:
    _do(
        scope,
        service.add_grant,
        user.public_id,
        role=Role.ORGANISER,
        place_id=place.public_id,
        since=TODAY,
        until=None,
        now=NOW,
    )


def _told(user: factories.Named) -> list[tuple[str, int, int | None]]:
    return [
        (row.kind.value, row.about_id, row.actor_id)
        for row in _rows(AccountNotice, user_id=user.id)
    ]


def test_an_administrator_who_takes_a_place_for_themselves_is_seen_by_the_others(
    world: factories.World,
) -> None:
    other = make_signer("Ade Bello", role=Role.ADMINISTRATOR)
    _give(_admin(world.admin), world.admin, world.mill)
    assert _told(other) == [("role_given", world.admin.id, world.admin.id)]
    assert _told(world.admin) == []
    assert _told(world.rep) == []


def test_a_new_link_for_somebody_is_told_to_them_and_to_the_other_administrators(
    world: factories.World,
) -> None:
    other = make_signer("Ade Bello", role=Role.ADMINISTRATOR)
    user = make_signer("Danuta Nowak")
    _do(_admin(world.admin), service.new_link, user.public_id, now=NOW)
    expected = [("link_made", user.id, world.admin.id)]
    assert (_told(other), _told(user), _told(world.admin)) == (expected, expected, [])


def test_an_administrator_made_on_the_command_line_is_told_to_all_of_them(
    world: factories.World,
) -> None:
    _do(factories.ALL, service.invite_administrator, name="Zoe", now=NOW)
    ((kind, _, actor),) = _told(world.admin)
    assert (kind, actor) == ("role_given", None)


def test_a_notice_is_seen_once_by_its_own_reader_and_leaves_audit_rows(
    world: factories.World,
) -> None:
    user = make_signer("Danuta Nowak")
    _do(_admin(world.admin), service.new_link, user.public_id, now=NOW)
    (notice,) = _rows(AccountNotice, user_id=user.id)
    with pytest.raises(NotFound):
        _do(_admin(world.admin), service.see_notice, notice.public_id, now=NOW)
    scope = Scope(actor_id=user.id, grants=())
    _do(scope, service.see_notice, notice.public_id, now=NOW)
    _do(scope, service.see_notice, notice.public_id, now=NOW + timedelta(days=1))
    assert _rows(AccountNotice, user_id=user.id)[0].seen_at == NOW
    entries = _rows(AuditEntry, subject="account_notice", subject_id=notice.id)
    assert [(entry.verb.value, entry.actor_id) for entry in entries] == [
        ("create", world.admin.id),
        ("update", user.id),
    ]


def test_a_refused_role_tells_nobody(world: factories.World) -> None:
    other = make_signer("Ade Bello", role=Role.ADMINISTRATOR)
    with pytest.raises(NotFound):
        _give(_admin(world.admin), world.rep, factories.Named(0, uuid4(), "nowhere"))
    assert _told(other) == []
