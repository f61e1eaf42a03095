"""The pages of accounts: what they show, refuse and keep."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.access.scope import Scope
from crm.domain.roles import Role
from crm.features.accounts import passphrases, service, views
from crm.models.accounts import AccessGrant, SignInAttempt, UserAccount, UserSession
from crm.models.audit import AuditEntry
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.guard import token_hash
from tests import factories
from tests.features.accounts.signing import PASSPHRASE, fresh, make_signer, sign_in

_WRONG = "The sign-in name or the passphrase is wrong. Check both and try again."
_TOO_MANY = "Too many tries. Wait 5 minutes, then try again."
_CHANGES_PER_PAGE = re.compile(r'(csrf_token" type="hidden"|name="csrf_token") value="[^"]*"')

ClientAs = Callable[[factories.Named], FlaskClient]


def _rows(model: Any) -> list[Any]:
    with unit_of_work(factories.ALL, read_only=True) as session:
        return list(session.scalars(factories.ALL.select(model).order_by(model.id)))


def _user_row(user: factories.Named) -> UserAccount:
    return next(row for row in _rows(UserAccount) if row.id == user.id)


def _body(answer: Any, typed: str) -> str:
    text = answer.text.replace(typed, "(typed)")
    return re.sub(r"<code>[0-9a-f]{16}</code>", "", _CHANGES_PER_PAGE.sub("", text))


def _link_of(text: str) -> str:
    found = re.search(r"<code>https?://[^/]+(/welcome/[^<]+)</code>", text)
    assert found, text
    return found.group(1)


def _welcome_fields(**changes: str) -> dict[str, str]:
    return {
        "name": "Owen",
        "sign_in_name": "Owen Rep",
        "passphrase": PASSPHRASE,
        "passphrase_again": PASSPHRASE,
        **changes,
    }


# Signing in


def test_a_good_passphrase_signs_in_and_the_session_lasts_seven_days(
    client: FlaskClient, fixed_clock: None
) -> None:
    user = make_signer()
    answer = sign_in(client)
    assert answer.status_code == 303
    assert client.get("/account").status_code == 200
    (one,) = _rows(UserSession)
    assert one.user_id == user.id
    assert one.expires_at - one.created_at == timedelta(days=7)


def test_the_sign_in_name_is_found_in_any_case_and_without_accents(client: FlaskClient) -> None:
    make_signer("Łucja Nowak")
    assert sign_in(client, "LUCJA  NOWAK").status_code == 303


def test_the_cookie_is_http_only_same_site_and_holds_a_fresh_token_of_256_bits(
    app: Flask, client: FlaskClient
) -> None:
    make_signer()
    with client.session_transaction() as before:
        before["planted"] = "by somebody else"
    answer = sign_in(client)
    header = answer.headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header
    with client.session_transaction() as cookie:
        assert "planted" not in cookie
        token = cookie["_user_id"]
    assert len(token) >= 43
    (one,) = _rows(UserSession)
    assert one.token_hash == token_hash(token)
    assert token not in str(vars(one))


def test_unknown_wrong_closed_and_not_yet_set_all_look_the_same_and_cost_one_hash(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_signer("Danuta Nowak")
    closed = make_signer("Closed One")
    with unit_of_work() as session:
        session.get_one(UserAccount, closed.id).active = False
        factories.make_user(session, "Invited One", sign_in_name="invited one")
    sent: list[bool] = []
    real = passphrases.verify

    def _counted(stored: str | None, text: str) -> bool:
        sent.append(stored is None)
        return real(stored, text)

    monkeypatch.setattr(passphrases, "verify", _counted)
    bodies = set()
    for name, passphrase in (
        ("Nobody Here", PASSPHRASE),
        ("Danuta Nowak", "wrong words entirely"),
        ("Closed One", PASSPHRASE),
        ("Invited One", PASSPHRASE),
    ):
        answer = fresh(app).post("/sign-in", data={"name": name, "passphrase": passphrase})
        assert answer.status_code == 422
        assert _WRONG in answer.text
        assert passphrase not in answer.text
        bodies.add(_body(answer, name))
    assert len(bodies) == 1
    assert sent == [True, False, True, True]
    assert not _rows(UserSession)


def test_the_stand_in_name_of_an_invited_user_cannot_be_typed(app: Flask) -> None:
    with unit_of_work(factories.ALL) as session:
        service.first_administrator_link(session, now=clock.now())
    (user,) = _rows(UserAccount)
    with unit_of_work() as session:
        session.get_one(UserAccount, user.id).password_hash = passphrases.hash_passphrase(
            PASSPHRASE
        )
    assert sign_in(fresh(app), user.sign_in_name).status_code == 422


def test_a_weaker_hash_is_made_anew_at_sign_in(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_signer()
    old = _user_row(user).password_hash
    monkeypatch.setattr(passphrases, "needs_rehash", lambda stored: True)
    assert sign_in(client).status_code == 303
    new = _user_row(user).password_hash
    assert new is not None
    assert new != old
    assert passphrases.verify(new, PASSPHRASE)


@pytest.mark.parametrize("name", ["Danuta Nowak", "Nobody Here"])
def test_ten_wrong_tries_in_five_minutes_close_a_name_known_or_not(
    app: Flask, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make_signer()
    now = factories.NOW
    monkeypatch.setattr(clock, "now", lambda: now)
    for _ in range(10):
        answer = fresh(app).post("/sign-in", data={"name": name, "passphrase": "wrong words here"})
        assert answer.status_code == 422
    answer = fresh(app).post("/sign-in", data={"name": name, "passphrase": PASSPHRASE})
    assert answer.status_code == 429
    assert _TOO_MANY in answer.text
    assert answer.headers["Retry-After"] == "300"
    now = factories.NOW + timedelta(minutes=5)
    answer = fresh(app).post("/sign-in", data={"name": name, "passphrase": PASSPHRASE})
    assert answer.status_code == (303 if name == "Danuta Nowak" else 422)


def _wrong_tries(app: Flask, times: int, name: str = "Danuta Nowak") -> None:
    for _ in range(times):
        fresh(app).post("/sign-in", data={"name": name, "passphrase": "wrong words here"})


def test_a_stranger_who_guesses_does_not_keep_out_a_browser_that_signed_in_before(
    app: Flask, fixed_clock: None
) -> None:
    make_signer()
    own = fresh(app)
    assert sign_in(own).status_code == 303
    own.post("/sign-out")
    _wrong_tries(app, 10)
    assert sign_in(fresh(app)).status_code == 429
    # The tries of fifty names close the network, too; the browser that is known still gets in.
    for number in range(50):
        _wrong_tries(app, 1, f"name {number}")
    assert sign_in(own).status_code == 303


def test_a_known_browser_has_ten_tries_too_and_only_for_the_name_that_it_knows(
    app: Flask, fixed_clock: None
) -> None:
    make_signer()
    make_signer("Sam Okoro")
    own = fresh(app)
    sign_in(own)
    own.post("/sign-out")
    _wrong_tries(app, 10, "Sam Okoro")
    assert sign_in(own, "Sam Okoro").status_code == 429
    for _ in range(10):
        assert sign_in(own, passphrase="wrong words here").status_code == 422
    assert sign_in(own).status_code == 429
    # Those wrong tries are the browser's own: from elsewhere the name is open.
    assert sign_in(fresh(app)).status_code == 303


@pytest.mark.parametrize("value", ["", ".", "x", "a.b", "0" * 32 + "." + "0" * 64, "." * 5000])
def test_a_made_up_mark_of_a_browser_is_worth_nothing(
    app: Flask, fixed_clock: None, value: str
) -> None:
    make_signer()
    _wrong_tries(app, 10)
    stranger = fresh(app)
    stranger.set_cookie("d", value)
    assert sign_in(stranger).status_code == 429


def test_the_mark_of_a_browser_names_nobody_and_scripts_cannot_read_it(app: Flask) -> None:
    make_signer()
    answer = sign_in(fresh(app))
    kept = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith("d=")]
    assert len(kept) == 1
    assert "danuta" not in kept[0].lower()
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(kept[0].split("; "))


def test_fifty_tries_from_one_network_close_it_for_every_name(
    app: Flask, fixed_clock: None
) -> None:
    make_signer()
    for number in range(50):
        fresh(app).post(
            "/sign-in",
            data={"name": f"name {number}", "passphrase": "wrong words here"},
            environ_base={"REMOTE_ADDR": f"192.0.2.{number}"},
        )
    near = {"REMOTE_ADDR": "192.0.2.200"}
    far = {"REMOTE_ADDR": "198.51.100.1"}
    form = {"name": "Danuta Nowak", "passphrase": PASSPHRASE}
    assert fresh(app).post("/sign-in", data=form, environ_base=near).status_code == 429
    assert fresh(app).post("/sign-in", data=form, environ_base=far).status_code == 303


def test_a_good_sign_in_clears_the_tries_and_old_rows_are_swept(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_signer()
    monkeypatch.setattr(clock, "now", lambda: factories.NOW)
    for _ in range(9):
        fresh(app).post("/sign-in", data={"name": "danuta nowak", "passphrase": "wrong words"})
    assert sign_in(fresh(app)).status_code == 303
    assert len(_rows(SignInAttempt)) == 9  # Those of the network stay.
    for _ in range(9):
        fresh(app).post("/sign-in", data={"name": "danuta nowak", "passphrase": "wrong words"})
    assert sign_in(fresh(app)).status_code == 303
    monkeypatch.setattr(clock, "now", lambda: factories.NOW + timedelta(minutes=6))
    assert sign_in(fresh(app)).status_code == 303
    assert _rows(SignInAttempt) == []


def test_the_throttle_stores_neither_names_nor_addresses(app: Flask) -> None:
    fresh(app).post("/sign-in", data={"name": "Nobody Here", "passphrase": "wrong words here"})
    stored = {row.bucket for row in _rows(SignInAttempt)}
    assert len(stored) == 2
    assert all(re.fullmatch(r"[0-9a-f]{64}", bucket) for bucket in stored)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::9", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        (None, "unknown"),
        ("unix", "unknown"),
    ],
)
def test_an_address_counts_under_its_network(address: str | None, counted: str) -> None:
    assert views.network(address) == counted


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example.org/",
        "//evil.example.org/",
        "/\\evil.example.org",
        "\\\\evil.example.org",
        "javascript:alert(1)",
        "/\t/evil.example.org",
        "/ok\r\nX: y",
        "account",
        "",
    ],
)
def test_after_signing_in_nobody_is_sent_to_another_site(app: Flask, path: str) -> None:
    make_signer()
    answer = sign_in(fresh(app), next=path)
    assert answer.status_code == 303
    assert answer.location == "/"
    assert views.safe_path(path) is None


def test_after_signing_in_people_come_back_to_the_page_they_wanted(
    app: Flask, client: FlaskClient
) -> None:
    make_signer()
    asked = client.get("/admin/users?q=a&page=2")
    assert asked.status_code == 303
    assert asked.location.startswith("/sign-in?next=")
    form = client.get(asked.location)
    assert 'value="/admin/users?q=a&amp;page=2"' in form.text
    answer = sign_in(client, next="/admin/users?q=a&page=2")
    assert answer.location == "/admin/users?q=a&page=2"


def test_sign_in_and_sign_out_are_in_the_audit_trail_without_hash_or_token(
    client: FlaskClient,
) -> None:
    user = make_signer()
    stored = _user_row(user).password_hash
    assert stored is not None
    sign_in(client)
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    client.post("/sign-out")
    entries = _rows(AuditEntry)
    acts = [entry for entry in entries if entry.verb.value in {"sign_in", "sign_out"}]
    assert [(act.verb.value, act.actor_id, act.subject_id) for act in acts] == [
        ("sign_in", user.id, user.id),
        ("sign_out", user.id, user.id),
    ]
    written = " ".join(str((entry.old, entry.new)) for entry in entries)
    for secret in (stored, token, token_hash(token), PASSPHRASE):
        assert secret not in written


# A session that is lost


def test_what_was_typed_when_the_session_was_lost_is_kept_and_can_be_saved(
    app: Flask, client: FlaskClient
) -> None:
    user = make_signer()
    typed = {"name": 'Danuta "D" <b>N</b> 🙂', "language": "", "theme": "dark", "version": "1"}
    asked = client.post("/account", data={**typed, "old_passphrase": "never echo this"})
    assert asked.status_code == 401
    assert "What you typed is kept. Sign in, then save it." in asked.text
    assert "never echo this" not in asked.text
    fields = _hidden(asked.text)
    assert fields["kept-theme"] == "dark"
    assert fields["next"] == "/account"
    wrong = client.post(
        "/sign-in", data={**fields, "name": "Danuta Nowak", "passphrase": "wrong words here"}
    )
    assert _hidden(wrong.text) == fields
    resend = sign_in(client, **fields)
    assert resend.status_code == 200
    assert "Send it once more" in resend.text
    again = _hidden(resend.text)
    again.pop("csrf_token")
    assert again == typed
    saved = client.post("/account", data=again)
    assert saved.status_code == 303
    assert _user_row(user).name == typed["name"]


def _hidden(text: str) -> dict[str, str]:
    from html import unescape

    inputs = re.findall(r"<input[^>]*>", text)
    found = {}
    for one in inputs:
        name = re.search(r'name="([^"]*)"', one)
        value = re.search(r'value="([^"]*)"', one)
        if 'type="hidden"' in one and name and value:
            found[unescape(name.group(1))] = unescape(value.group(1))
    return found


@pytest.fixture
def strict(app: Flask) -> Any:
    """The app with its form tokens checked, as in use."""
    app.config["WTF_CSRF_ENABLED"] = True
    yield app
    app.config["WTF_CSRF_ENABLED"] = False


def test_a_stale_page_of_somebody_signed_in_gives_back_all_but_passphrases(
    strict: Flask, client_as: ClientAs, world: factories.World
) -> None:
    client = client_as(world.rep)
    answer = client.post("/account", data={"name": "New name", "passphrase": "never echo"})
    assert answer.status_code == 400
    assert "Send it once more" in answer.text
    assert _hidden(answer.text)["name"] == "New name"
    assert "never echo" not in answer.text


def test_a_browser_that_lost_its_cookie_gets_the_sign_in_form_with_what_was_typed(
    strict: Flask,
) -> None:
    make_signer()
    client = fresh(strict)
    asked = client.post("/account", data={"name": "Kept name", "csrf_token": "stale"})
    assert asked.status_code == 401
    fields = _hidden(asked.text)
    assert fields["kept-name"] == "Kept name"
    resend = sign_in(client, **fields)
    assert resend.status_code == 200
    again = _hidden(resend.text)
    assert again.pop("name") == "Kept name"
    # The token on the resend page is that of the new session.
    saved = client.post(
        "/account",
        data={**again, "name": "Kept name", "language": "", "theme": "", "version": "1"},
    )
    assert saved.status_code == 303


def test_a_sign_in_page_that_waited_too_long_is_given_again_with_the_name(strict: Flask) -> None:
    answer = sign_in(fresh(strict), **{"kept-note": "typed", "next": "/account"})
    assert answer.status_code == 400
    assert "This page had waited too long. Enter your passphrase and send it again." in answer.text
    assert 'value="Danuta Nowak"' in answer.text
    assert PASSPHRASE not in answer.text
    assert _hidden(answer.text)["kept-note"] == "typed"


# Signing out


def test_signing_out_ends_the_session_and_clears_what_the_browser_kept(
    app: Flask, client: FlaskClient
) -> None:
    make_signer()
    sign_in(client)
    with client.session_transaction() as cookie:
        token = cookie["_user_id"]
    answer = client.post("/sign-out")
    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies"'
    thief = fresh(app)
    with thief.session_transaction() as cookie:
        cookie["_user_id"] = token
    assert thief.get("/account").status_code == 303
    assert "You are signed out." in client.get(answer.location).text


def test_signing_out_twice_is_no_error(client: FlaskClient) -> None:
    answer = client.post("/sign-out")
    assert (answer.status_code, answer.location) == (303, "/sign-in?left=1")


def test_sign_out_everywhere_ends_every_device_of_this_person_only(
    app: Flask, client_as: ClientAs, world: factories.World
) -> None:
    phone, laptop, other = client_as(world.rep), client_as(world.rep), client_as(world.dock_rep)
    assert phone.post("/account/sign-out-everywhere").status_code == 303
    assert phone.get("/account").status_code == 303
    assert laptop.get("/account").status_code == 303
    assert other.get("/account").status_code == 200


def test_one_device_can_be_signed_out_and_nobody_elses(
    client_as: ClientAs, world: factories.World
) -> None:
    phone, laptop, other = client_as(world.rep), client_as(world.rep), client_as(world.dock_rep)
    devices = re.findall(r"/account/devices/([0-9a-f-]{36})/end", phone.get("/account").text)
    assert len(devices) == 2
    foreign = re.findall(r"/account/devices/([0-9a-f-]{36})/end", other.get("/account").text)
    assert phone.post(f"/account/devices/{foreign[0]}/end").status_code == 404
    assert other.get("/account").status_code == 200
    for device in devices:
        phone.post(f"/account/devices/{device}/end")
    assert laptop.get("/account").status_code == 303


def test_somebody_without_any_role_can_see_their_account_and_sign_out(client: FlaskClient) -> None:
    make_signer(role=None)
    assert sign_in(client).status_code == 303
    assert client.get("/account").status_code == 200
    assert client.get("/admin/users").status_code == 403
    assert client.post("/sign-out").location == "/sign-in?left=1"


# Links


def test_an_invitation_sets_names_and_passphrase_signs_in_and_works_once(
    app: Flask, client_as: ClientAs, world: factories.World
) -> None:
    made = client_as(world.admin).post(
        f"/admin/users/new?place={world.mill.public_id}",
        data={"name": "New Rep", "role": "rep", "since": "2020-01-01", "key": str(uuid4())},
    )
    assert made.status_code == 200
    path = _link_of(made.text)
    browser = fresh(app)
    page = browser.get(path)
    assert page.status_code == 200
    assert 'value="New Rep"' in page.text
    assert browser.post(path, data=_welcome_fields()).status_code == 303
    assert browser.get("/account").status_code == 200
    assert sign_in(fresh(app), "owen rep").status_code == 303
    token = path.rsplit("/", 1)[1]
    assert all(token not in str((entry.old, entry.new)) for entry in _rows(AuditEntry))
    again = fresh(app).post(path, data=_welcome_fields(sign_in_name="thief"))
    assert again.status_code == 404
    assert sign_in(fresh(app), "thief").status_code == 422


def test_used_expired_replaced_wrong_and_closed_links_give_the_same_page(
    app: Flask, world: factories.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = factories.NOW
    monkeypatch.setattr(clock, "now", lambda: now)
    admin = Scope.everything("test")

    def _link(user: factories.Named) -> str:
        with unit_of_work(factories.ALL) as session:
            return service.new_link(session, admin, user.public_id, now=now)

    used, replaced, closed = _link(world.rep), _link(world.organiser), _link(world.dock_rep)
    assert fresh(app).post(f"/welcome/{used}", data=_welcome_fields()).status_code == 303
    newest = _link(world.organiser)
    with unit_of_work(factories.ALL) as session:
        service.deactivate(session, admin, world.dock_rep.public_id, now=now)
    assert fresh(app).get(f"/welcome/{newest}").status_code == 200
    old = _link(world.officer)
    bodies = set()
    now = factories.NOW + timedelta(hours=72)
    for token in (used, replaced, closed, old, "wrong", "wrong%00"):
        for answer in (
            fresh(app).get(f"/welcome/{token}"),
            fresh(app).post(f"/welcome/{token}", data=_welcome_fields()),
        ):
            assert answer.status_code == 404
            bodies.add(_body(answer, token))
    assert len(bodies) == 1
    assert "Ask the person who gave it to you for a new link." in bodies.pop()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"passphrase": "short", "passphrase_again": "short"},
         "Use 12 letters or more. Several words together are best."),
        ({"passphrase_again": "different words here"},
         "The two passphrases are not the same. Type both again."),
        ({"sign_in_name": "a!"}, "Use 3 letters or numbers or more for your sign-in name."),
        ({"sign_in_name": "Taken Name"},
         "Somebody else has this sign-in name. Choose a different one."),
        ({"name": ""}, "Enter the name your colleagues know you by."),
        ({"name": "x" * 121}, "Use 120 letters or fewer."),
    ],
)  # fmt: skip
def test_a_refused_welcome_says_why_keeps_the_link_and_shows_no_passphrase(
    app: Flask, world: factories.World, changes: dict[str, str], sentence: str
) -> None:
    make_signer("Taken Name")
    with unit_of_work(factories.ALL) as session:
        token = service.new_link(
            session, Scope.everything("test"), world.rep.public_id, now=clock.now()
        )
    answer = fresh(app).post(f"/welcome/{token}", data=_welcome_fields(**changes))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert PASSPHRASE not in answer.text
    assert fresh(app).post(f"/welcome/{token}", data=_welcome_fields()).status_code == 303


def test_a_reset_link_keeps_the_sign_in_name_and_signs_the_other_devices_out(app: Flask) -> None:
    user = make_signer()
    phone = fresh(app)
    sign_in(phone)
    with unit_of_work(factories.ALL) as session:
        token = service.new_link(session, Scope.everything("test"), user.public_id, now=clock.now())
    page = fresh(app).get(f"/welcome/{token}")
    assert "danuta nowak" in page.text
    new = "otter mill copper radio"
    answer = fresh(app).post(
        f"/welcome/{token}",
        data={"passphrase": new, "passphrase_again": new, "sign_in_name": "other", "name": "X"},
    )
    assert answer.status_code == 303
    assert phone.get("/account").status_code == 303
    assert sign_in(fresh(app)).status_code == 422
    assert sign_in(fresh(app), passphrase=new).status_code == 303
    assert _user_row(user).name == "Danuta Nowak"


# My account


def test_saving_my_account_changes_name_and_look(
    client_as: ClientAs, world: factories.World
) -> None:
    client = client_as(world.rep)
    form = {"name": "Owen R", "language": "en", "theme": "dark", "version": "1"}
    assert client.post("/account", data=form).status_code == 303
    page = client.get("/account").text
    assert 'data-theme="dark"' in page
    assert "Your account is saved." in page
    assert _user_row(world.rep).name == "Owen R"


@pytest.mark.parametrize(
    "changes",
    [
        {"theme": "purple"},
        {"language": "xx"},
        {"time_zone": "Europe/Atlantis"},
        {"name": ""},
        {"name": "a\x00b"},
    ],
)
def test_a_bad_account_form_is_given_back_as_typed(
    client_as: ClientAs, world: factories.World, changes: dict[str, str]
) -> None:
    form = {"name": "Typed name", "language": "", "theme": "dark", "version": "1", **changes}
    answer = client_as(world.rep).post("/account", data=form)
    assert answer.status_code == 422
    assert _user_row(world.rep).name == "Owen Rep"


def test_two_devices_saving_my_account_see_both_versions_and_the_second_save_wins(
    client_as: ClientAs, world: factories.World
) -> None:
    client = client_as(world.rep)
    form = {"language": "", "theme": "", "version": "1"}
    assert client.post("/account", data={**form, "name": "First"}).status_code == 303
    answer = client.post("/account", data={**form, "name": "Second"})
    assert answer.status_code == 409
    assert "First" in answer.text
    assert 'value="Second"' in answer.text
    version = _hidden(answer.text)["version"]
    assert (
        client.post("/account", data={**form, "name": "Second", "version": version}).status_code
        == 303
    )
    assert _user_row(world.rep).name == "Second"


@pytest.mark.usefixtures("fixed_clock")
def test_my_time_zone_decides_which_day_it_is_for_me(
    client_as: ClientAs, world: factories.World
) -> None:
    rep, organiser = client_as(world.rep), client_as(world.organiser)
    form = {"name": "Owen R", "language": "", "theme": "", "version": "1"}
    assert "As set here: Europe/London" in rep.get("/account").text
    answer = rep.post("/account", data={**form, "time_zone": "Pacific/Auckland"})
    assert answer.status_code == 303
    assert 'value="Pacific/Auckland" selected' in _squeezed(rep.get("/account").text)
    # At noon in London on the 23rd it is one o'clock in the night of the 24th in Auckland.
    assert "Today, 24 November 2026" in rep.get("/").text
    assert "Today, 23 November 2026" in organiser.get("/").text
    assert rep.post("/account", data={**form, "version": "2", "time_zone": ""}).status_code == 303
    assert "Today, 23 November 2026" in rep.get("/").text
    assert _user_row(world.rep).time_zone is None


def _squeezed(page: str) -> str:
    """Return the page with the two ways to order an option's attributes as one."""
    return re.sub(r'selected value="([^"]*)"', r'value="\1" selected', page)


def test_changing_my_passphrase_needs_the_old_one_and_signs_other_devices_out(app: Flask) -> None:
    make_signer()
    here, there = fresh(app), fresh(app)
    sign_in(here)
    sign_in(there)
    new = "otter mill copper radio"
    form = {"old_passphrase": "wrong words here", "passphrase": new, "passphrase_again": new}
    refused = here.post("/account/passphrase", data=form)
    assert refused.status_code == 422
    assert "This is not your passphrase now. Try again." in refused.text
    assert new not in refused.text
    done = here.post("/account/passphrase", data={**form, "old_passphrase": PASSPHRASE})
    assert done.status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert sign_in(fresh(app), passphrase=new).status_code == 303


def test_an_old_passphrase_opens_nothing_that_is_changed_while_it_is_being_checked(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_signer()
    checked, new = passphrases.verify, passphrases.hash_passphrase("otter mill copper radio")

    def _changed_meanwhile(stored: str | None, typed: str) -> bool:
        good = checked(stored, typed)
        with unit_of_work() as session:
            session.get_one(UserAccount, user.id).password_hash = new
        return good

    monkeypatch.setattr(passphrases, "verify", _changed_meanwhile)
    # The one that was checked is hashed anew, as after an update with stronger settings.
    monkeypatch.setattr(passphrases, "needs_rehash", lambda stored: True)
    refused = sign_in(fresh(app))
    assert (refused.status_code, _WRONG in refused.text) == (422, True)
    assert not _rows(UserSession)
    assert _user_row(user).password_hash == new


def test_guessing_the_old_passphrase_is_throttled_too(app: Flask, fixed_clock: None) -> None:
    make_signer()
    client = fresh(app)
    sign_in(client)
    new = "otter mill copper radio"
    form = {"old_passphrase": "wrong words here", "passphrase": new, "passphrase_again": new}
    for _ in range(10):
        assert client.post("/account/passphrase", data=form).status_code == 422
    answer = client.post("/account/passphrase", data={**form, "old_passphrase": PASSPHRASE})
    assert answer.status_code == 429
    assert _TOO_MANY in answer.text


# Users


@pytest.mark.parametrize("who", ["rep", "organiser", "officer", "boss_of_all", "dock_rep"])
def test_only_administrators_open_the_pages_of_users(
    client_as: ClientAs, world: factories.World, who: str
) -> None:
    client = client_as(getattr(world, who))
    user, mill = world.dock_rep.public_id, world.mill.public_id
    for path in (
        "/admin/users",
        "/admin/places",
        f"/admin/users/new?place={mill}",
        f"/admin/users/{user}",
        f"/admin/users/{user}/roles/new?place={mill}",
    ):
        assert client.get(path).status_code == 403, path
    for path in ("close", "open", "link", f"roles/new?place={mill}"):
        assert client.post(f"/admin/users/{user}/{path}").status_code == 403, path
    assert _user_row(world.dock_rep).active


def test_pages_of_users_show_users_and_places_and_no_contacts(
    client_as: ClientAs, world: factories.World
) -> None:
    client = client_as(world.admin)
    user = world.rep.public_id
    pages = [
        client.get(path)
        for path in (
            "/admin/users",
            "/admin/places?q=the",
            f"/admin/users/{user}",
            f"/admin/users/{user}/roles/new?place={world.packing.public_id}",
        )
    ]
    assert [page.status_code for page in pages] == [200] * 4
    text = " ".join(page.text for page in pages)
    assert "Rep: <bdi>The Mill</bdi>, <bdi>Brightway</bdi> (Workplace)" in text
    assert "<bdi>Packing</bdi>, <bdi>The Mill</bdi> (Area)" in text
    for name in ("Ioana", "Tomasz", "Rukhsana", "Gareth", "Marta", "Bilal", "Night packer"):
        assert name not in text


def test_the_list_of_users_takes_no_more_statements_for_many_than_for_few(
    client_as: ClientAs, world: factories.World, count_statements: list[str]
) -> None:
    client = client_as(world.admin)
    client.get("/admin/users")
    count_statements.clear()
    client.get("/admin/users")
    few = len(count_statements)
    with unit_of_work(factories.ALL) as session:
        for number in range(60):
            factories.make_user(session, f"Extra {number}", role=Role.REP)
    count_statements.clear()
    page = client.get("/admin/users")
    assert len(count_statements) <= few <= 10
    assert "66 users" in page.text
    assert "page=2" in page.text
    assert client.get("/admin/users?page=99&q=Extra").status_code == 200
    assert "No user has that in their name." in client.get("/admin/users?q=100%25").text


@pytest.mark.parametrize(
    ("query", "found", "hidden"),
    [
        ("q=MILL", "The Mill", "The Dock"),
        ("q=pack", "Packing", "The Mill</bdi></a>"),
        ("q=barns", "Barnsley branch", "Hull branch"),
        ("q=york", "Yorkshire", "The Mill"),
        ("q=&kind=employer", "Saltway Docks", "The Dock"),
    ],
)
def test_places_are_found_by_part_of_the_name_and_by_kind(
    client_as: ClientAs, world: factories.World, query: str, found: str, hidden: str
) -> None:
    page = client_as(world.admin).get(f"/admin/places?{query}").text
    assert found in page
    assert hidden not in page
    assert "Everything" in page


def test_an_invitation_sent_twice_makes_one_user_and_only_the_last_link_works(
    app: Flask, client_as: ClientAs, world: factories.World
) -> None:
    client = client_as(world.admin)
    before = len(_rows(UserAccount))
    form = {"name": "Twice", "role": "rep", "since": "2026-01-01", "key": str(uuid4())}
    links = [
        _link_of(client.post(f"/admin/users/new?place={world.mill.public_id}", data=form).text)
        for _ in range(2)
    ]
    assert len(_rows(UserAccount)) == before + 1
    assert [fresh(app).get(link).status_code for link in links] == [404, 200]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Enter the person’s name."),
        ({"role": ""}, "Choose a role."),
        ({"since": "soon"}, "Enter a date like 14/05/2026, or pick one."),
        ({"until": "2025-12-31"}, "The end date is before the start date. Check both dates."),
        ({"role": "administrator"},
         ("An administrator runs the whole server. Choose “Everything” as the place, "
          "or a different role.")),
    ],
)  # fmt: skip
def test_a_refused_invitation_says_why_keeps_what_was_typed_and_saves_nothing(
    client_as: ClientAs, world: factories.World, changes: dict[str, str], sentence: str
) -> None:
    before = len(_rows(UserAccount))
    form = {"name": "Typed <b>", "role": "rep", "since": "2026-01-01", "key": "spoilt", **changes}
    answer = client_as(world.admin).post(
        f"/admin/users/new?place={world.mill.public_id}", data=form
    )
    assert answer.status_code == 422
    assert sentence in answer.text
    if form["name"]:
        assert 'value="Typed &lt;b&gt;"' in answer.text
    assert len(_rows(UserAccount)) == before


def test_an_unknown_place_or_user_is_not_found(client_as: ClientAs, world: factories.World) -> None:
    client = client_as(world.admin)
    assert client.get(f"/admin/users/new?place={uuid4()}").status_code == 404
    assert client.get(f"/admin/users/{uuid4()}").status_code == 404
    assert client.get(f"/admin/places?user={uuid4()}").status_code == 404
    form = {"name": "X", "role": "rep", "since": "2026-01-01", "key": str(uuid4())}
    assert client.post(f"/admin/users/new?place={uuid4()}", data=form).status_code == 404


def test_without_a_place_the_page_asks_for_it_first(
    client_as: ClientAs, world: factories.World
) -> None:
    client = client_as(world.admin)
    for path in ("/admin/users/new", f"/admin/users/{world.rep.public_id}/roles/new?place=x"):
        page = client.get(path)
        assert page.status_code == 200
        assert "Choose the place" in page.text
        assert str(world.mill.public_id) in page.text
        assert client.post(path).location.startswith("/admin/places")


def test_a_role_ended_today_is_gone_on_the_next_request(
    client_as: ClientAs, world: factories.World
) -> None:
    with unit_of_work(factories.ALL) as session:
        user = session.get_one(UserAccount, world.organiser.id)
        factories.make_grant(session, user, Role.ADMINISTRATOR)
    second, admin = client_as(world.organiser), client_as(world.admin)
    make_signer("Lasting Admin", role=Role.ADMINISTRATOR)
    assert second.get("/admin/users").status_code == 200
    grant = next(
        row
        for row in _rows(AccessGrant)
        if row.user_id == world.organiser.id and row.role is Role.ADMINISTRATOR
    )
    path = f"/admin/users/{world.organiser.public_id}/roles/{grant.public_id}/end"
    assert admin.get(path).status_code == 200
    today = clock.now().date().isoformat()
    assert admin.post(path, data={"until": today}).status_code == 303
    assert second.get("/admin/users").status_code == 403
    assert second.get("/account").status_code == 200


def test_closing_an_account_signs_it_out_on_the_next_request_and_opening_lets_it_in_again(
    app: Flask, client_as: ClientAs, world: factories.World
) -> None:
    user = make_signer()
    phone, admin = fresh(app), client_as(world.admin)
    sign_in(phone)
    assert admin.post(f"/admin/users/{user.public_id}/close").status_code == 303
    assert phone.get("/account").location.startswith("/sign-in")
    assert sign_in(fresh(app)).status_code == 422
    refused = admin.post(f"/admin/users/{user.public_id}/link")
    assert refused.status_code == 422
    assert "This account is closed. Open it again first, then make a link." in refused.text
    assert admin.post(f"/admin/users/{user.public_id}/open").status_code == 303
    assert phone.get("/account").status_code == 303
    assert sign_in(fresh(app)).status_code == 303


def test_the_last_administrator_is_told_why_they_cannot_leave(
    client_as: ClientAs, world: factories.World
) -> None:
    answer = client_as(world.admin).post(f"/admin/users/{world.admin.public_id}/close")
    assert answer.status_code == 422
    assert (
        "This is the last administrator. Make somebody else an administrator first, "
        "and wait until they have signed in."
    ) in answer.text
    assert _user_row(world.admin).active


def test_a_further_role_is_given_and_shown_with_its_days(
    client_as: ClientAs, world: factories.World
) -> None:
    client = client_as(world.admin)
    path = f"/admin/users/{world.rep.public_id}/roles/new?place={world.depot.public_id}"
    form = {"role": "rep", "since": "2026-01-01", "until": "2099-02-01"}
    assert client.post(path, data=form).status_code == 303
    page = client.get(f"/admin/users/{world.rep.public_id}").text
    assert "1 January 2026 until 1 February 2099" in page
    assert client_as(world.rep).get("/admin/users").status_code == 403
