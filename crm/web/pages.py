"""What the base template needs on every page: who is signed in, the tabs, language, practice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, current_app, g, get_flashed_messages, request, url_for
from flask_babel import get_locale, lazy_gettext
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from crm.access.permissions import Permission
from crm.web.guard import current_scope, my_zone, signed_in
from crm.web.language import Language

babel = Language()

LOOK = "look"


class Where(StrEnum):
    """Where the way to a part stands."""

    ALWAYS = "always"  # across the top, and at the foot of a phone
    WIDE = "wide"  # across the top; in the menu of a phone
    MENU = "menu"


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the words across the top (or the foot, on a phone), or in the menu."""

    key: str
    label: str
    url: str
    current: bool
    where: Where


_ALWAYS, _WIDE, _MENU = Where.ALWAYS, Where.WIDE, Where.MENU
_TABS: tuple[tuple[str, Any, str, Permission, Where], ...] = (
    ("today", lazy_gettext("Today"), "today.index", Permission.ACCOUNT_OWN, _ALWAYS),
    ("mine", lazy_gettext("My people"), "mine.index", Permission.CONVERSATION_WRITE, _ALWAYS),
    ("people", lazy_gettext("People"), "contacts.index", Permission.CONTACT_READ, _ALWAYS),
    ("log", lazy_gettext("Log"), "conversations.who", Permission.CONVERSATION_WRITE, _ALWAYS),
    ("places", lazy_gettext("Places"), "workplaces.index", Permission.PLACE_READ, _ALWAYS),
    ("dash", lazy_gettext("Density"), "density.index", Permission.DENSITY_READ, _WIDE),
    ("campaigns", lazy_gettext("Campaigns"), "campaigns.index", Permission.CONTACT_READ, _WIDE),
    ("ballots", lazy_gettext("Ballots"), "ballots.index", Permission.CONTACT_READ, _WIDE),
    ("rules", lazy_gettext("Rules of ballots"), "law.rules", Permission.UNION_WRITE, _MENU),
    ("reports", lazy_gettext("Reports"), "reports.index", Permission.DENSITY_READ, _WIDE),
    ("ready", lazy_gettext("Strike-readiness"), "readiness.index", Permission.DENSITY_READ, _MENU),
    ("lists_in", lazy_gettext("Lists in"), "imports.index", Permission.IMPORT_MAKE, _MENU),
    ("union", lazy_gettext("The union’s list"), "reconcile.index", Permission.CONTACT_WRITE, _MENU),
    ("twice", lazy_gettext("Here twice?"), "duplicates.index", Permission.CONTACT_WRITE, _MENU),
    ("trail", lazy_gettext("Trail"), "history.trail", Permission.AUDIT_READ, _MENU),
    ("admin", lazy_gettext("Admin"), "accounts.users", Permission.USER_WRITE, _WIDE),
    (
        "accounts",
        lazy_gettext("Trail of accounts"),
        "history.accounts",
        Permission.USER_WRITE,
        _MENU,
    ),
)


# Tabs that share a blueprint: only their own page is theirs.
_ALONE = frozenset({"trail", "accounts"})


def install(app: Flask) -> None:
    """Give templates `page`, `static_url` and the reader's language."""
    app.config["BABEL_DEFAULT_LOCALE"] = "en"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "UTC"
    folder = Path(app.root_path) / "translations"
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = app.config.get("TRANSLATIONS") or str(folder)
    babel.init_app(app, locale_selector=_language, timezone_selector=my_zone)
    app.context_processor(_context)
    app.jinja_env.globals["static_url"] = static_url


def _language() -> str | None:
    offered = current_app.config["LANGUAGES"]
    user = signed_in()
    if user is not None and user.language in offered:
        return user.language
    return request.accept_languages.best_match(offered, default=offered[0])


def static_url(name: str) -> str:
    """Return the address of a static file, with a hash of its content so that it may be cached."""
    folder = current_app.static_folder or ""
    return url_for("static", filename=name, v=_content_hash(str(Path(folder) / name)))


@cache
def _content_hash(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:8]


def _context() -> dict[str, Any]:
    return {"page": page()}


def page() -> dict[str, Any]:
    """Return what the base template shows around every screen."""
    user = signed_in()
    return plain_page() | {
        "signed_in": user is not None,
        "user_name": user.name if user else "",
        "flashes": get_flashed_messages(with_categories=True),
        "csrf_token": generate_csrf(),
        "request_id": g.get("request_id", ""),
        "nav": _tabs() if user else [],
        "sign_out_url": address_of("accounts.sign_out") or "",
        "account_url": address_of("accounts.mine") or "",
        "source_url": address_of("today.about") or "",
    }


def render_kept(template: str, **words: Any) -> str:
    """Return a page that phones keep, drawn past all that other pages are given.

    Nothing of anybody may stand in it. A phone fetches it behind the page its owner is in, so it
    leaves the session as it is: what waits to be shown is not used up, and no cookie is sent.
    """
    drawn = current_app.jinja_env.get_template(template)
    return drawn.render(page=plain_page(), **words)


def plain_page() -> dict[str, Any]:
    """Return the part of what the base template shows that says nothing of anybody."""
    locale = get_locale()
    user = signed_in()
    return {
        "lang": str(locale).replace("_", "-") if locale else "en",
        "dir": locale.text_direction if locale else "ltr",
        "look": look(),
        "app_name": "Rota" if look() == "rota" else "Shopfloor",
        "practice": current_app.config["PRACTICE"],
        "theme": (user.theme if user else None) or "",
        "home_url": address_of("today.index") or "/",
        "hide_url": address_of("today.hide") or "",
    }


def look() -> str:
    """Return the name and icon this browser goes by: "shopfloor", or the dull "rota".

    It belongs to the device, not to the person, and says nothing of either: a cookie keeps it.
    Signing out empties the cookies, so the address of the page after it says so once more.
    """
    chosen = request.cookies.get(LOOK) or request.args.get(LOOK)
    return "rota" if chosen == "rota" else "shopfloor"


def keep_look(answer: Response, chosen: str) -> None:
    """Have the browser go by a name and icon for a year: "shopfloor" or "rota"."""
    answer.set_cookie(
        LOOK,
        chosen,
        max_age=timedelta(days=365),
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        httponly=True,
        samesite="Lax",
    )


def address_of(endpoint: str, **values: Any) -> str | None:
    """Return the address of another feature's page, or None where that feature is left out."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def _tabs() -> list[Tab]:
    scope = current_scope()
    blueprint = request.blueprint or ""
    return [
        Tab(
            key=key,
            label=str(label),
            url=address,
            current=endpoint == request.endpoint
            or (key not in _ALONE and endpoint.split(".")[0] == blueprint),
            where=where,
        )
        for key, label, endpoint, permission, where in _TABS
        if scope.may(permission) and (address := address_of(endpoint)) is not None
    ]
