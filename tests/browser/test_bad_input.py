"""Bad input in every form: never a defect, what was typed is kept, nothing is half saved.

The forms are found by opening every page, so that a new form is tried by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from crm.web.db import db
from tests.browser.live import one_of_each
from tests.conftest import made_once
from tests.factories import Named, World, make_world

pytestmark = pytest.mark.timeout(240)

Clients = Callable[[Named], FlaskClient]

_TYPED = {"text", "search", "email", "tel", "url", "number", "area"}
# What counts tries or looks, and not what people wrote.
_BOOKKEEPING = {"sign_in_attempt", "login_attempt", "probe", "user_session"}

WORDS = {
    "emoji": "🦊👩🏽‍🚀🏴‍☠️",
    "right-to-left": "محمد \u200fعلي",
    "html": '<script>alert(1)</script><b>"x"</b>',
    "sql": "Robert'); DROP TABLE contact;--",
    "percent": "100% {{ 7*7 }} %(name)s \\",
    "control": "a\x00b\x07",
}


@dataclass
class _Field:
    name: str
    sort: str
    value: str
    options: list[str] = field(default_factory=list)
    checked: bool = False


@dataclass
class _Form:
    action: str
    fields: list[_Field] = field(default_factory=list)

    def of(self, *sorts: str) -> list[_Field]:
        return [one for one in self.fields if one.sort in sorts]


class _Reader(HTMLParser):
    """Reads the forms that are posted, with all their fields, also those outside their element."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.forms: list[_Form] = []
        self._form: _Form | None = None
        self._area: _Field | None = None
        self._select: _Field | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method") == "post":
            self._form = _Form(given.get("action") or self.page)
            self.forms.append(self._form)
        if self._form is None or (not given.get("name") and tag != "option"):
            return
        if tag == "input":
            sort = given.get("type", "text")
            self._form.fields.append(
                _Field(given["name"], sort, given.get("value", ""), checked="checked" in given)
            )
        elif tag == "textarea":
            self._area = _Field(given["name"], "area", "")
            self._form.fields.append(self._area)
        elif tag == "select":
            self._select = _Field(given["name"], "select", "")
            self._form.fields.append(self._select)
        elif tag == "option" and self._select is not None:
            self._select.options.append(given.get("value", ""))
            if "selected" in given:
                self._select.value = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area.value += data


def _forms(page: str, html: str) -> list[_Form]:
    reader = _Reader(page)
    reader.feed(html)
    return reader.forms


def _sent(form: _Form) -> dict[str, Any]:
    """Return what a browser sends when nothing is changed, with one choice made in each group."""
    values: dict[str, Any] = {}
    for one in form.fields:
        if one.sort in {"radio", "checkbox"}:
            if one.checked or (one.sort == "radio" and one.name not in values):
                values[one.name] = one.value
        elif one.sort == "select":
            values[one.name] = one.value or next((o for o in one.options if o), "")
        elif one.sort not in {"file", "submit"}:
            values[one.name] = one.value
    return values


def _bad(form: _Form, kind: str) -> dict[str, Any] | None:
    """Return the form's values made bad in one way; None where it has no field of that sort."""
    typed, days = form.of(*_TYPED), form.of("date")
    values = _sent(form)
    if kind == "empty":
        return {**values, **{one.name: "" for one in typed + days + form.of("password", "time")}}
    if kind == "nothing at all":
        return {one.name: one.value for one in form.fields if one.name == "version"}
    if kind == "choices":
        chosen = form.of("radio", "select", "checkbox")
        return {**values, **{one.name: "never offered" for one in chosen}} if chosen else None
    if kind == "hidden":
        hidden = form.of("hidden")
        return {**values, **{one.name: "9" * 40 for one in hidden}} if hidden else None
    if kind == "huge":
        return {**values, typed[0].name: "x" * 60_000} if typed else None
    if kind == "days backwards":
        if len(days) < 2:
            return None
        return {**values, **{d.name: f"2026-0{6 - at}-01" for at, d in enumerate(days[:4])}}
    if kind == "no days":
        return {**values, **{one.name: "32/05/2026" for one in days}} if days else None
    if kind == "days far away":
        return {**values, **{one.name: "9999-12-31" for one in days}} if days else None
    if not typed:
        return None
    return {**values, **{one.name: WORDS[kind] for one in typed}}


KINDS = (
    *("empty", "nothing at all", "choices", "hidden", "huge"),
    *("days backwards", "no days", "days far away"),
    *WORDS,
)


def _written(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    """A refused form that shows what is known of a person records the look, as it should."""
    return [table.c.verb != "view"] if table.name == "audit_entry" else []


def _counts(engine: sa.Engine) -> dict[str, int]:
    # One statement for all tables: it is asked twice for every form.
    arms = [
        sa.select(sa.literal(table.name), sa.func.count())
        .select_from(table)
        .where(*_written(table))
        for table in db.metadata.sorted_tables
        if table.name not in _BOOKKEEPING
    ]
    with engine.connect().execution_options(crm_scope=True, read_only=True) as connection:
        return {str(name): int(rows) for name, rows in connection.execute(sa.union_all(*arms))}


def _pages(app: Flask, ids: dict[str, Any]) -> Iterator[str]:
    adapter = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        # A link can be taken up once: its form has a test of its own among the accounts.
        if rule.endpoint != "static" and "GET" in (rule.methods or set()):
            values = {
                name: ids.get(f"{rule.endpoint}:{name}") or ids[name] for name in rule.arguments
            }
            yield adapter.build(rule.endpoint, values, method="GET")
    yield f"/admin/users/new?place={ids['place_id']}"
    yield f"/admin/users/{ids['user_id']}/roles/new?place={ids['place_id']}"


def _kept(sent: dict[str, Any], form: _Form) -> dict[str, tuple[Any, str]]:
    """Return the typed fields of the sent form that came back with something else in them."""
    return {
        one.name: (sent[one.name], one.value)
        for one in form.of(*_TYPED, "date")
        if one.name in sent
        # A browser writes line ends its own way, and an area starts with one that is not shown.
        and one.value.strip().replace("\r\n", "\n") != str(sent[one.name]).strip()
    }


@dataclass
class _Found:
    """A form as the page shows it to the first who may see that page."""

    who: str
    page: str
    form: _Form


@pytest.fixture
def peopled(app: Flask, backend: Any) -> tuple[World, dict[str, Any]]:
    """The small world with one of each thing that has a page, the same for every kind of input."""

    def make() -> tuple[World, dict[str, Any]]:
        world = make_world()
        return world, one_of_each(world)

    found: tuple[World, dict[str, Any]] = made_once(backend, "one of each", make)
    return found


@pytest.fixture
def found(
    app: Flask, backend: Any, client_as: Clients, peopled: tuple[World, dict[str, Any]]
) -> list[_Found]:
    """Every form of every page, looked for once a database."""
    if "forms" not in backend.kept:
        backend.kept["forms"] = list(_all_forms(app, client_as, *peopled))
    forms: list[_Found] = backend.kept["forms"]
    return forms


def _all_forms(
    app: Flask, client_as: Clients, world: World, ids: dict[str, Any]
) -> Iterator[_Found]:
    known: set[tuple[str, str]] = set()
    clients = {who: client_as(getattr(world, who)) for who in ("rep", "officer", "admin")}
    for page in _pages(app, ids):
        for who, client in clients.items():
            shown = client.get(page)
            if shown.status_code != 200 or "html" not in shown.content_type:
                continue
            for form in _forms(page, shown.text):
                names = ",".join(sorted({one.name for one in form.fields}))
                # The sign-out form stands on every page; a form of buttons only has no bad input.
                only_buttons = {one.name for one in form.fields} <= {"csrf_token", "version"}
                if not only_buttons and (form.action, names) not in known:
                    known.add((form.action, names))
                    yield _Found(who, page, form)
            break  # Who may see a page after the first sees the same forms.


# What a form or a vocabulary refuses never reaches a database: these are tried on one of the two.
# The others are what the two databases and their drivers take differently.
REFUSED_BEFORE = {"nothing at all", "choices", "days backwards", "no days", "right-to-left", "html"}


@pytest.mark.parametrize(
    ("backend", "kind"),
    [("sqlite", kind) for kind in KINDS]
    + [("postgresql", kind) for kind in KINDS if kind not in REFUSED_BEFORE],
    indirect=["backend"],
)
def test_bad_input_is_refused_kept_and_not_half_saved(
    client_as: Clients,
    peopled: tuple[World, dict[str, Any]],
    found: list[_Found],
    kind: str,
) -> None:
    clients = {who: client_as(getattr(peopled[0], who)) for who in ("rep", "officer", "admin")}
    tried, refused, faults = 0, 0, []
    # To count every table costs more than most forms: once after each, and not before it too.
    before = _counts(db.engine)
    for one in found:
        who, page, form = one.who, one.page, one.form
        values = _bad(form, kind)
        if values is None:
            continue
        tried += 1
        reply = clients[who].post(form.action, data=values)
        here = f"{who} {form.action} [{kind}]"
        if reply.status_code >= 500 or reply.status_code in {403, 405}:
            faults.append(f"{here}: {reply.status_code}")
        if "html" in reply.content_type and "<script>alert(1)" in reply.text:
            faults.append(f"{here}: not escaped")
        if reply.status_code >= 400:
            refused += 1
            after = _counts(db.engine)
            if after != before:
                faults.append(f"{here}: refused with {reply.status_code}, yet saved")
                before = after
        else:
            before = _counts(db.engine)
        if reply.status_code in {422, 409} and kind not in {"hidden", "nothing at all"}:
            again = [f for f in _forms(page, reply.text) if _same(f, form)]
            lost = _kept(values, again[0]) if again else {"the form": ("", "")}
            if lost and kind != "control":
                faults.append(f"{here}: lost {str(lost)[:200]}")
    assert not faults, "\n".join(faults)
    assert tried > 5
    assert refused > 0


def _same(one: _Form, other: _Form) -> bool:
    names = {f.name for f in one.fields} & {f.name for f in other.fields}
    return len(names) >= len({f.name for f in other.fields}) - 2
