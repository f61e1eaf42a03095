"""Pages of accounts: the way in and out, my account, and users with their roles."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from babel import Locale
from flask import (
    Blueprint,
    Flask,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.identity import fold
from crm.domain.roles import Role
from crm.domain.vocabulary import PlaceKind
from crm.features.accounts import passphrases, queries, service
from crm.features.accounts.forms import (
    AccountForm,
    ButtonForm,
    ChangePassphraseForm,
    EndGrantForm,
    GrantForm,
    InviteForm,
    NewPassphraseForm,
    SignInForm,
    WelcomeForm,
)
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.devices import known_device, remember_device
from crm.web.forms import chosen_id, options
from crm.web.guard import SignedIn, keyed_hash, let_in, let_out, public, requires, signed_in
from crm.web.kept import as_hidden, kept_before, kept_of_stranger, safe_path
from crm.web.labels import choices
from crm.web.networks import network
from crm.web.pages import LOOK, address_of, keep_look, look

bp = Blueprint("accounts", __name__)

_CLEAR = '"cache", "cookies"'


def install(app: Flask) -> None:
    """Register the pages, and what the guard does with a stranger at a closed door."""
    app.register_blueprint(bp)
    app.extensions["crm_ask_to_sign_in"] = ask_to_sign_in


# Signing in and out


@bp.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Any:
    """Show the sign-in form, or check what was sent. ``next``: a path to go to afterwards."""
    if request.method == "POST":
        return _let_me_in()
    if signed_in() is not None:
        return redirect(safe_path(request.args.get("next")) or _home(), 303)
    form = SignInForm(formdata=None, next=safe_path(request.args.get("next")) or "")
    return _sign_in_page(form, left=request.args.get("left") == "1")


def _let_me_in() -> Any:
    """Check name and passphrase. Unknown, wrong, closed and not yet set all look the same."""
    form = SignInForm()
    kept, path = kept_before(), safe_path(request.form.get("next"))
    form.next.data = path or ""
    if not form.validate_on_submit():
        return _sign_in_page(form, kept=kept, status=422)
    try:
        user = _check(form.name.data, form.passphrase.data)
    except service.TooManyTries as refusal:
        form.refuse(refusal)
        answer = _sign_in_page(form, kept=kept, status=429)
        answer.headers["Retry-After"] = str(int(service.ATTEMPT_WINDOW.total_seconds()))
        return answer
    except Refusal as refusal:
        form.refuse(refusal)
        return _sign_in_page(form, kept=kept, status=422)
    if kept and path:
        # The page they were on is sent again by their own hand, under a fresh token.
        return render_template("errors/resend.html", action=path, kept=kept)
    return redirect(path or _home(user), 303)


def _check(typed_name: str, passphrase: str) -> SignedIn:
    """Sign somebody in and return them. Raises TooManyTries or Refusal."""
    now = clock.now()
    name = fold(typed_name)
    device = known_device(name)
    with unit_of_work() as session:
        attempt = service.note_attempt(
            session,
            name_bucket=keyed_hash(f"device {device}" if device else f"name {name}"),
            # What strangers do on the same network must not keep out a browser that is known.
            network_bucket=None
            if device
            else keyed_hash("network " + network(request.remote_addr)),
            now=now,
        )
        found = queries.find_credentials(session, typed_name=typed_name)
    good = passphrases.verify(found.password_hash, passphrase)
    if not good or found.user_id is None or found.password_hash is None:
        raise service.WrongPassphrase()
    better = None
    if passphrases.needs_rehash(found.password_hash):
        better = passphrases.hash_passphrase(passphrase)
    with unit_of_work() as session:
        service.forgive_attempts(session, attempt)
        token = service.sign_in(
            session,
            found.user_id,
            checked_hash=found.password_hash,
            now=now,
            better_hash=better,
        )
    remember_device(name)
    return let_in(token)


@bp.post("/sign-out")
@requires(Permission.ACCOUNT_OWN)
def sign_out(scope: Scope) -> Any:
    """End this session, and have the browser forget what it kept of this site."""
    with unit_of_work(scope) as session:
        service.sign_out(session, scope, _me().session_id, now=clock.now())
    return _gone()


@bp.post("/account/sign-out-everywhere")
@requires(Permission.ACCOUNT_OWN)
def sign_out_everywhere(scope: Scope) -> Any:
    """End all of one's own sessions, this one too."""
    with unit_of_work(scope) as session:
        service.sign_out_everywhere(session, scope, now=clock.now())
    return _gone()


def _gone() -> Response:
    let_out()
    # The cookies go, and with them the dull name that hides what this is: it is told once more.
    dull: dict[str, Any] = {LOOK: look()} if look() != "shopfloor" else {}
    answer = redirect(url_for("accounts.sign_in", left=1, **dull), 303)
    answer.headers["Clear-Site-Data"] = _CLEAR
    return answer


def ask_to_sign_in() -> Any:
    """Answer a stranger at a page that needs signing in, without losing what they typed."""
    path = request.full_path.rstrip("?")
    if request.method in {"GET", "HEAD"}:
        return redirect(url_for("accounts.sign_in", next=path), 303)
    if request.endpoint == "accounts.sign_in":
        # The sign-in page itself had waited too long: the same form with a fresh token.
        form = SignInForm()
        form.next.data = safe_path(request.form.get("next")) or ""
        return _sign_in_page(form, kept=kept_before(), stale=True, status=400)
    if request.endpoint == "accounts.welcome":
        return redirect(request.path, 303)
    if request.endpoint == "accounts.sign_out":
        return redirect(url_for("accounts.sign_in", left=1), 303)
    form = SignInForm(formdata=None, next=safe_path(path) or "")
    return _sign_in_page(form, kept=kept_of_stranger(), status=401)


def _sign_in_page(
    form: SignInForm,
    *,
    kept: list[tuple[str, str]] | None = None,
    left: bool = False,
    stale: bool = False,
    status: int = 200,
) -> Response:
    answer = make_response(
        render_template(
            "accounts/sign_in.html",
            form=form,
            kept=as_hidden(kept or []),
            left=left,
            stale=stale,
        ),
        status,
    )
    if left and look() != "shopfloor":
        keep_look(answer, look())
    return answer


def _home(user: SignedIn | None = None) -> str:
    has_today = "today.index" in current_app.view_functions
    return url_for("today.index") if has_today else url_for("accounts.mine")


def _me() -> SignedIn:
    user = signed_in()
    if user is None:
        raise NotFound("nobody is signed in")
    return user


# Taking up a link


@bp.route("/welcome/<token>", methods=["GET", "POST"])
@public
def welcome(token: str) -> Any:
    """Show the form of an invitation, or take it up; one page for every link that does not work."""
    now = clock.now()
    with unit_of_work(read_only=True) as session:
        try:
            link = queries.find_link(session, token, now=now)
        except NotFound:
            return _dead_link()
    form = _welcome_form(link)
    if request.method == "GET":
        return _welcome_page(form, link)
    return _take_up(token, link, form, now)


def _take_up(
    token: str, link: queries.Link, form: WelcomeForm | NewPassphraseForm, now: datetime
) -> Any:
    """Set the passphrase, use the link up and sign its person in."""
    if not form.validate_on_submit():
        return _welcome_page(form, link, status=422)
    name = form.text("name") if link.is_first else None
    sign_in_name = form.text("sign_in_name") if link.is_first else None
    try:
        names = (name or link.user_name, sign_in_name or link.sign_in_name or "")
        passphrases.refuse_weak(form.passphrase.data, names=names)
    except Refusal as refusal:
        form.refuse(refusal, "passphrase")
        return _welcome_page(form, link, status=422)
    hashed = passphrases.hash_passphrase(form.passphrase.data)
    try:
        with unit_of_work() as session:
            opened = service.accept_invitation(
                session,
                token,
                name=name,
                sign_in_name=sign_in_name,
                password_hash=hashed,
                now=now,
            )
    except NotFound:
        return _dead_link()
    except Refusal as refusal:
        form.refuse(refusal, "sign_in_name")
        return _welcome_page(form, link, status=422)
    user = let_in(opened)
    remember_device(fold(sign_in_name or link.sign_in_name or ""))
    flash(_("Welcome. You are signed in. Next time, use your sign-in name and passphrase."), "done")
    return redirect(_home(user), 303)


def _welcome_form(link: queries.Link) -> WelcomeForm | NewPassphraseForm:
    if not link.is_first:
        return NewPassphraseForm()
    shown = "" if link.user_name == service.FIRST_ADMINISTRATOR else link.user_name
    return WelcomeForm(name=shown)


def _welcome_page(
    form: WelcomeForm | NewPassphraseForm, link: queries.Link, status: int = 200
) -> tuple[str, int]:
    offer = passphrases.suggestion() if request.method == "GET" else None
    return (
        render_template(
            "accounts/welcome.html",
            form=form,
            link=link,
            offer=offer,
        ),
        status,
    )


def _dead_link() -> tuple[str, int]:
    return render_template("accounts/dead_link.html"), 404


# My account


@bp.get("/account")
@requires(Permission.ACCOUNT_OWN)
def mine(scope: Scope) -> Any:
    """Show my name, language, time zone, look, passphrase and devices."""
    return _account_page(scope)


@bp.post("/account")
@requires(Permission.ACCOUNT_OWN)
def save_mine(scope: Scope) -> Any:
    """Save my name, language, time zone and look."""
    form = _account_form()
    if not form.validate_on_submit():
        return _account_page(scope, form=form, status=422)
    try:
        with unit_of_work(scope) as session:
            service.edit_account(
                session,
                scope,
                name=form.text("name") or "",
                language=form.language.data or None,
                time_zone=form.time_zone.data or None,
                theme=form.theme.data or None,
                version=form.version.data or 0,
            )
    except EditConflict as conflict:
        form.refuse(conflict)
        # Saving once more, having seen both, wins.
        form.version.data = conflict.current["version"]
        form.version.raw_data = None  # What was sent would be written into the page again.
        return _account_page(scope, form=form, conflict=conflict, status=409)
    flash(_("Your account is saved."), "done")
    return redirect(url_for("accounts.mine"), 303)


@bp.post("/account/notices/<uuid:notice_id>/seen")
@requires(Permission.ACCOUNT_OWN)
def see_notice(scope: Scope, notice_id: UUID) -> Any:
    """Mark as seen what the first page says that somebody did to an account."""
    with unit_of_work(scope) as session:
        service.see_notice(session, scope, notice_id, now=clock.now())
    return redirect(_home(), 303)


@bp.post("/account/passphrase")
@requires(Permission.ACCOUNT_OWN)
def change_passphrase(scope: Scope) -> Any:
    """Change my passphrase; the old one is asked for, so that a found phone is not enough."""
    form = ChangePassphraseForm(prefix="")
    if not form.validate_on_submit():
        return _account_page(scope, passphrase_form=form, status=422)
    now, me = clock.now(), _me()
    try:
        with unit_of_work(scope) as session:
            attempt = service.note_attempt(
                session,
                name_bucket=keyed_hash(f"own {me.user_id}"),
                network_bucket=keyed_hash("network " + network(request.remote_addr)),
                now=now,
            )
            found, names = queries.own_credentials(session, scope)
        passphrases.refuse_weak(form.passphrase.data, names=names)
    except service.TooManyTries as refusal:
        form.refuse(refusal)
        return _account_page(scope, passphrase_form=form, status=429)
    except Refusal as refusal:
        form.refuse(refusal, "passphrase")
        return _account_page(scope, passphrase_form=form, status=422)
    good = passphrases.verify(found.password_hash, form.old_passphrase.data)
    if not good or found.password_hash is None:
        form.refuse(Refusal("This is not your passphrase now. Try again."), "old_passphrase")
        return _account_page(scope, passphrase_form=form, status=422)
    new_hash = passphrases.hash_passphrase(form.passphrase.data)
    try:
        with unit_of_work(scope) as session:
            service.forgive_attempts(session, attempt)
            service.change_passphrase(
                session,
                scope,
                old_hash=found.password_hash,
                new_hash=new_hash,
                this_session_id=me.session_id,
                now=now,
            )
    except Refusal as refusal:
        form.refuse(refusal)
        return _account_page(scope, passphrase_form=form, status=422)
    flash(_("Your passphrase is changed. Your other devices are signed out."), "done")
    return redirect(url_for("accounts.mine"), 303)


@bp.post("/account/devices/<uuid:device_id>/end")
@requires(Permission.ACCOUNT_OWN)
def end_device(scope: Scope, device_id: UUID) -> Any:
    """Sign one of my devices out."""
    me = _me()
    with unit_of_work(scope) as session:
        ended = service.end_device(session, scope, device_id, now=clock.now())
    if ended == me.session_id:
        return _gone()
    flash(_("That device is signed out."), "done")
    return redirect(url_for("accounts.mine", _anchor="devices"), 303)


def _account_form(account: queries.Account | None = None) -> AccountForm:
    first = (
        {}
        if account is None
        else {
            "name": account.name,
            "language": account.language or "",
            "time_zone": account.time_zone or "",
            "theme": account.theme or "",
            "version": account.version,
        }
    )
    # One of two forms on the page was sent; the other shows what is stored.
    form = AccountForm(formdata=None, data=first) if account else AccountForm()
    offered = current_app.config["LANGUAGES"]
    form.language.choices = options(
        [
            ("", _("As my browser is set")),
            *((code, Locale.parse(code, sep="-").get_display_name() or code) for code in offered),
        ]
    )
    usual = str(current_app.config["TIME_ZONE"]).replace("_", " ")
    form.time_zone.choices = options(
        [
            ("", _("As set here: %(zone)s", zone=usual)),
            *((zone, zone.replace("_", " ")) for zone in clock.time_zones()),
        ]
    )
    return form


def _account_page(
    scope: Scope,
    *,
    form: AccountForm | None = None,
    passphrase_form: ChangePassphraseForm | None = None,
    conflict: EditConflict | None = None,
    status: int = 200,
) -> tuple[str, int]:
    with unit_of_work(scope, read_only=True) as session:
        account = queries.get_account(
            session, scope, this_session_id=_me().session_id, now=clock.now()
        )
    shown = form or _account_form(account)
    return (
        render_template(
            "accounts/mine.html",
            account=account,
            form=shown,
            words={
                name: {one.value: one.label for one in shown[name].choices}
                for name in ("language", "time_zone", "theme")
            },
            passphrase_form=passphrase_form or ChangePassphraseForm(formdata=None),
            button=ButtonForm(formdata=None),
            offer=passphrases.suggestion() if request.method == "GET" else None,
            calendar_url=address_of("feed.mine"),
            has_errors=status in {422, 429, 409},
            sent=form or passphrase_form,
            conflict=conflict,
        ),
        status,
    )


# Users and their roles


@bp.get("/admin/users")
@requires(Permission.USER_WRITE)
def users(scope: Scope) -> Any:
    """List the users with their roles."""
    search = request.args.get("q", "")[:120]
    page = request.args.get("page", 1, type=int)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.list_users(session, scope, search=search, page=page)
    return render_template("accounts/users.html", found=found, search=search, today=_today())


@bp.get("/admin/places")
@requires(Permission.USER_WRITE)
def places(scope: Scope) -> Any:
    """Find the place of a role, by name and kind, for a new user or for ``user``."""
    return _places_page(scope, chosen_id(request.args.get("user")))


def _places_page(scope: Scope, user_id: UUID | None) -> str:
    search = request.args.get("q", "")[:200]
    kind = request.args.get("kind", "")
    chosen_kind = PlaceKind(kind) if kind in _KINDS else None
    with unit_of_work(scope, read_only=True) as session:
        user = None
        if user_id is not None:
            user = queries.get_user(session, scope, user_id, now=clock.now()).user
        everything = queries.get_everything(session, scope)
        found, more = queries.find_places(session, scope, search=search, kind=chosen_kind)
    return render_template(
        "accounts/places.html",
        user=user,
        everything=everything,
        found=found,
        more=more,
        search=search,
        kind=kind,
        kinds=choices(PlaceKind(one) for one in _KINDS),
    )


_KINDS = ("employer", "workplace", "area", "branch", "union", "region")


@bp.get("/admin/users/new")
@requires(Permission.USER_WRITE)
def invite(scope: Scope) -> Any:
    """Ask for the name and role of a new user; the place was chosen on the page before."""
    place_id = chosen_id(request.args.get("place"))
    if place_id is None:
        return _places_page(scope, None)
    form = InviteForm(formdata=None, since=_today(), key=str(uuid4()))
    return _invite_page(scope, form, place_id)


@bp.post("/admin/users/new")
@requires(Permission.USER_WRITE)
def send_invite(scope: Scope) -> Any:
    """Store the new user and show their link, this once."""
    place_id = chosen_id(request.args.get("place"))
    if place_id is None:
        return redirect(url_for("accounts.places"), 303)
    form = InviteForm()
    if not form.validate_on_submit():
        return _invite_page(scope, form, place_id, status=422)
    key = form.user_key()
    try:
        with unit_of_work(scope) as session:
            token = service.invite(
                session,
                scope,
                form.text("name") or "",
                role=Role(form.role.data),
                place_id=place_id,
                since=form.since.data,
                until=form.until.data,
                now=clock.now(),
                key=key,
            )
    except Refusal as refusal:
        form.refuse(refusal)
        return _invite_page(scope, form, place_id, status=422)
    return _link_page(scope, key, token)


def _invite_page(
    scope: Scope, form: InviteForm, place_id: UUID, status: int = 200
) -> tuple[str, int]:
    with unit_of_work(scope, read_only=True) as session:
        place = queries.get_place_line(session, scope, place_id)
    return render_template("accounts/invite.html", form=form, place=place), status


@bp.get("/admin/users/<uuid:user_id>")
@requires(Permission.USER_WRITE)
def user(scope: Scope, user_id: UUID) -> Any:
    """Show one user: roles with their days, and what can be done."""
    return _user_page(scope, user_id)


def _user_page(scope: Scope, user_id: UUID, *, refusal: Refusal | None = None) -> tuple[str, int]:
    form = ButtonForm(formdata=None)
    if refusal is not None:
        form.refuse(refusal)
    with unit_of_work(scope, read_only=True) as session:
        detail = queries.get_user(session, scope, user_id, now=clock.now())
    return (
        render_template(
            "accounts/user.html",
            detail=detail,
            form=form,
            today=_today(),
            history_url=address_of("history.account", user_id=user_id),
        ),
        422 if refusal is not None else 200,
    )


@bp.get("/admin/users/<uuid:user_id>/roles/new")
@requires(Permission.USER_WRITE)
def grant(scope: Scope, user_id: UUID) -> Any:
    """Ask for a further role of a user; the place was chosen on the page before."""
    place_id = chosen_id(request.args.get("place"))
    if place_id is None:
        return _places_page(scope, user_id)
    return _grant_page(scope, GrantForm(formdata=None, since=_today()), user_id, place_id)


@bp.post("/admin/users/<uuid:user_id>/roles/new")
@requires(Permission.USER_WRITE)
def add_grant(scope: Scope, user_id: UUID) -> Any:
    """Give a user a further role."""
    place_id = chosen_id(request.args.get("place"))
    if place_id is None:
        return redirect(url_for("accounts.places", user=user_id), 303)
    form = GrantForm()
    if not form.validate_on_submit():
        return _grant_page(scope, form, user_id, place_id, status=422)
    try:
        with unit_of_work(scope) as session:
            service.add_grant(
                session,
                scope,
                user_id,
                role=Role(form.role.data),
                place_id=place_id,
                since=form.since.data,
                until=form.until.data,
                now=clock.now(),
            )
    except Refusal as refusal:
        form.refuse(refusal)
        return _grant_page(scope, form, user_id, place_id, status=422)
    flash(_("The role is given."), "done")
    return redirect(url_for("accounts.user", user_id=user_id), 303)


def _grant_page(
    scope: Scope, form: GrantForm, user_id: UUID, place_id: UUID, status: int = 200
) -> tuple[str, int]:
    with unit_of_work(scope, read_only=True) as session:
        detail = queries.get_user(session, scope, user_id, now=clock.now())
        place = queries.get_place_line(session, scope, place_id)
    return render_template("accounts/grant.html", form=form, user=detail.user, place=place), status


@bp.get("/admin/users/<uuid:user_id>/roles/<uuid:grant_id>/end")
@requires(Permission.USER_WRITE)
def end_grant(scope: Scope, user_id: UUID, grant_id: UUID) -> Any:
    """Ask for the first day without the role."""
    return _end_page(scope, EndGrantForm(formdata=None, until=_today()), user_id, grant_id)


@bp.post("/admin/users/<uuid:user_id>/roles/<uuid:grant_id>/end")
@requires(Permission.USER_WRITE)
def take_grant(scope: Scope, user_id: UUID, grant_id: UUID) -> Any:
    """End the role."""
    form = EndGrantForm()
    if not form.validate_on_submit():
        return _end_page(scope, form, user_id, grant_id, status=422)
    try:
        with unit_of_work(scope) as session:
            whose = service.end_grant(
                session, scope, user_id, grant_id, until=form.until.data, now=clock.now()
            )
    except Refusal as refusal:
        form.refuse(refusal, "until")
        return _end_page(scope, form, user_id, grant_id, status=422)
    flash(_("The end of the role is saved."), "done")
    if whose == scope.actor_id:
        # They may have given up the right to see the page of users.
        return redirect(url_for("accounts.mine"), 303)
    return redirect(url_for("accounts.user", user_id=user_id), 303)


def _end_page(
    scope: Scope, form: EndGrantForm, user_id: UUID, grant_id: UUID, status: int = 200
) -> tuple[str, int]:
    with unit_of_work(scope, read_only=True) as session:
        detail = queries.get_user(session, scope, user_id, now=clock.now())
        line = queries.get_grant(session, scope, user_id, grant_id)
    return (
        render_template("accounts/end_grant.html", form=form, user=detail.user, grant=line),
        status,
    )


@bp.post("/admin/users/<uuid:user_id>/close")
@requires(Permission.USER_WRITE)
def deactivate(scope: Scope, user_id: UUID) -> Any:
    """Close an account and end all its sessions at once."""
    try:
        with unit_of_work(scope) as session:
            service.deactivate(session, scope, user_id, now=clock.now())
    except Refusal as refusal:
        return _user_page(scope, user_id, refusal=refusal)
    flash(_("The account is closed. Its devices are signed out."), "done")
    return redirect(url_for("accounts.user", user_id=user_id), 303)


@bp.post("/admin/users/<uuid:user_id>/open")
@requires(Permission.USER_WRITE)
def reactivate(scope: Scope, user_id: UUID) -> Any:
    """Open a closed account again."""
    with unit_of_work(scope) as session:
        service.reactivate(session, scope, user_id)
    flash(_("The account is open again."), "done")
    return redirect(url_for("accounts.user", user_id=user_id), 303)


@bp.post("/admin/users/<uuid:user_id>/link")
@requires(Permission.USER_WRITE)
def new_link(scope: Scope, user_id: UUID) -> Any:
    """Make a fresh link for a user and show it, this once."""
    try:
        with unit_of_work(scope) as session:
            token = service.new_link(session, scope, user_id, now=clock.now())
    except Refusal as refusal:
        return _user_page(scope, user_id, refusal=refusal)
    return _link_page(scope, user_id, token)


def _link_page(scope: Scope, user_id: UUID, token: str) -> str:
    """Return the page with the link. It goes nowhere else: not into a cookie, not into a log."""
    with unit_of_work(scope, read_only=True) as session:
        detail = queries.get_user(session, scope, user_id, now=clock.now())
    path = url_for("accounts.welcome", token=token)
    base = str(current_app.config["PUBLIC_URL"]) or request.host_url.rstrip("/")
    return render_template("accounts/link.html", detail=detail, link=base + path)


def _today() -> date:
    """Return the day by which roles begin and end: the guard reckons in UTC, so do these pages."""
    return clock.now().astimezone(UTC).date()
