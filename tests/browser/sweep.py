"""The list of all pages with who looks at each, and the look at one in every size and light."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm.access.permissions import ROLE_PERMISSIONS, Permission
from crm.domain.roles import Role
from tests.browser.live import Live
from tests.browser.looking import Watch, access_faults, too_wide

if TYPE_CHECKING:
    from playwright.sync_api import Page

STRANGER = "nobody"
# Files and answers for machines: no pages.
NO_PAGES = {
    "ballots.ics",
    "conversations.manifest",
    "conversations.people",
    "conversations.state",
    "conversations.worker",
    "density.changes_csv",
    "density.changes_xlsx",
    "density.csv",
    "density.more_csv",
    "density.more_xlsx",
    "density.xlsx",
    "feed.dates",
    "health.alive",
    "health.ready",
    "letters.docx",
    "history.trail_csv",
    "imports.problems",
    "reports.csv",
    "reports.fetch",
    "reports.xlsx",
}
# Asked for something that belongs to the administrator, or for a right over a whole employer.
OF_ADMIN = {"tasks.show", "workplaces.add_workplace", "workplaces.edit_employer"}
MAIN = (
    "today.index",
    "mine.index",
    "contacts.index",
    "workplaces.index",
    "density.index",
    "conversations.who",
)
_ROLES = {
    "rep": Role.REP,
    "organiser": Role.ORGANISER,
    "officer": Role.BRANCH_OFFICER,
    "admin": Role.ADMINISTRATOR,
}
_WIDTHS = (320, 1280)
_SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Stop:
    """One page to look at: who looks, where, and the status it must answer with."""

    who: str
    path: str
    status: int = 200


def pages_of(live: Live, *, of_places: bool) -> list[Stop]:
    """Return every page once, each for the first role that may see it, and the main ones for all.

    A page that is added to the app is in this list by itself. of_places: True for the half that
    is about places, False for all others, so that two workers share the work.
    """
    stops = []
    for endpoint, path in live.paths().items():
        if endpoint in NO_PAGES or (endpoint.split(".")[0] == "workplaces") is not of_places:
            continue
        access = live.app.view_functions[endpoint].access  # type: ignore[attr-defined]
        if access == "public":
            stops.append(Stop(STRANGER, path))
            continue
        may = [who for who, role in _ROLES.items() if access in ROLE_PERMISSIONS[role]]
        # Accounts, registers and tasks of these tests belong to the administrator.
        who = "admin" if endpoint in OF_ADMIN or access is Permission.USER_WRITE else may[0]
        stops.append(Stop(who, path))
        if endpoint in MAIN:
            stops += [Stop(other, path) for other in may if other != who]
    if not of_places:
        # Without a place these two ask for it first, and look different.
        place = f"?place={live.ids['place_id']}"
        stops.append(Stop("admin", f"/admin/users/new{place}"))
        # Who takes files out sees more of these than the first role that may see them.
        stops += [Stop("officer", live.paths()[f"reports.{name}"]) for name in ("index", "show")]
        stops.append(Stop("admin", f"/admin/users/{live.ids['user_id']}/roles/new{place}"))
    return stops


def pages_of_errors() -> list[Stop]:
    """Return the pages of errors: those that can be brought about, and the rest as drawn."""
    drawn = [Stop("rep", f"/error-page/{status}", status) for status in (400, 413, 422, 429)]
    drawn += [Stop("rep", f"/error-page/{status}", status) for status in (500, 503, 507)]
    return [
        Stop("rep", "/nowhere", 404),
        Stop(STRANGER, "/nowhere", 404),
        Stop("rep", f"/people/{uuid.uuid4()}", 404),
        Stop("rep", "/admin/users", 403),
        Stop("rep", "/sign-out", 405),
        Stop(STRANGER, "/welcome/not-a-link", 404),
        Stop("organiser", "/dash?by=colour", 422),
        Stop("rep", "/log?q=zzzz", 200),
        Stop("rep", "/people?q=zzzz", 200),
        Stop("boss_of_all", "/people/new", 200),
        *drawn,
    ]


def in_every_light(page: Page, schemes: Sequence[str] = _SCHEMES) -> Iterator[str]:
    """Yield a name for each size and light, with the open page shown in it.

    schemes: which lights; what does not depend on colours needs one.
    The window is as high as the page, so that nothing lies under the fixed bar.
    """
    for width in _WIDTHS:
        page.set_viewport_size({"width": width, "height": 640})
        height = page.evaluate("() => document.scrollingElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": min(height + 80, 30000)})
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            yield f"{width} {scheme}"


def open_everything(page: Page) -> None:
    """Unfold what is folded, so that its content is looked at too."""
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")


def look_at_all(live: Live, open_page: Callable[..., Page], stops: Iterable[Stop]) -> list[str]:
    """Return all faults of the pages. One browser session for each who looks."""
    pages: dict[str, tuple[Page, Watch]] = {}
    faults = []
    for stop in stops:
        if stop.who not in pages:
            page = open_page()
            if stop.who != STRANGER:
                live.sign_in(page, stop.who)
            pages[stop.who] = (page, Watch(page, live.address))
        faults += look_at(*pages[stop.who], live, stop)
    return faults


def look_at(page: Page, watch: Watch, live: Live, stop: Stop) -> list[str]:
    """Open the page and return all faults found in it, in every size and light."""
    page.goto(live.address + stop.path)
    here = f"{stop.who} {stop.path}"
    faults = []
    if watch.status != stop.status:
        faults.append(f"{here}: answered {watch.status}, not {stop.status}")
    for light in in_every_light(page):
        seen = [*too_wide(page), *access_faults(page, colours_only=light.endswith("dark"))]
        faults += [f"{here} at {light}: {fault}" for fault in seen]
    open_everything(page)
    for light in in_every_light(page, ("light",)):
        faults += [f"{here} unfolded at {light}: {fault}" for fault in too_wide(page)]
    return faults + [f"{here}: {fault}" for fault in watch.take()]
