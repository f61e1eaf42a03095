"""The crm command. Each command states the scope it runs under and why."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID
from zoneinfo import ZoneInfo

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo
from flask_babel import force_locale, gettext
from sqlalchemy.orm import Session

from crm.access import audit, search_index, spans, tree
from crm.access.audit import record_export
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.exports import density_csv, density_xlsx
from crm.analysis.safe_files import About
from crm.app import create_app, load_settings
from crm.domain.bases import CHOSEN, basis_of
from crm.domain.errors import NotFound, Refusal
from crm.domain.headcount import Counts
from crm.domain.report import ALWAYS, PartName, ReportPack, figure_rows
from crm.features.accounts import service as accounts
from crm.features.cases import queries as cases
from crm.features.cases import service as case_work
from crm.features.density import queries as density
from crm.features.density import wording as density_words
from crm.features.practice import service as practice_people
from crm.features.registers import service as registers
from crm.features.registers.service import RegisterKind, StatedCounts
from crm.features.reports import files as report_files
from crm.features.reports import queries as reports
from crm.models.places import Place
from crm.reads.figures import GroupBy
from crm.reads.people import find_user_id
from crm.reads.report import build_report
from crm.web import backups, clock, migrating, serving, tasks, whole
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.guard import scope_of
from crm.web.labels import label

_PRACTICE = "practice data is invented for the whole database"
_FROM_THE_COMMAND_LINE = "run from the command line by whoever runs this server"


@click.group()
def main() -> None:
    """Shopfloor: the organising CRM that trade unionists run themselves."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


@contextmanager
def _app(*, practice: bool = False) -> Iterator[Flask]:
    app = create_app(load_settings(practice=practice))
    with app.app_context():
        yield app


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
def serve(host: str, port: int) -> None:
    """Start Shopfloor on this machine, with its worker inside."""
    with _app() as app:
        serving.check_address(app, host)
        _bring_up_to_date(app)
        token = _first_administrator()
        address = app.config["PUBLIC_URL"] or f"http://{host}:{port}"
        lines = [f"Shopfloor is at {address}/"]
        if token:
            lines.append(
                "No administrator has signed in yet. Open this link once, within 72 hours:"
            )
            lines.append(f"{address}/welcome/{token}")
        _run(app, host, port, lines)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True, type=click.IntRange(1, 65535))
def practice(host: str, port: int) -> None:
    """Start the practice copy: invented people, in a database of its own."""
    with _app(practice=True) as app:
        serving.check_address(app, host)
        _bring_up_to_date(app)
        _fill_practice()
        address = f"http://{host}:{port}"
        _run(app, host, port, [f"PRACTICE: everyone here is invented. It is at {address}/"])


def _run(app: Flask, host: str, port: int, lines: list[str]) -> None:
    try:
        server: Any = serving.bind(app, host=host, port=port)
    except OSError as error:
        raise click.ClickException(
            f"Port {port} is taken. Stop the other program, or choose another with --port."
        ) from error
    worker = tasks.start_worker(app) if app.config["RUN_WORKER"] else None
    for line in lines:
        click.echo(line)
    click.echo("Press Ctrl+C to stop.")
    sys.stdout.flush()
    try:
        server.run()
    finally:
        if worker is not None:
            worker.stop()


def _bring_up_to_date(app: Flask) -> None:
    """Bring the tables up to date, with a copy of an older database kept beside it."""
    if not migrating.is_current():
        if migrating.database_head() is not None:
            kept = backups.before_migration(app)
            if kept is not None:
                click.echo(f"Kept a copy of the database from before the update: {kept.name}")
        migrating.upgrade()
    scope = Scope.everything(reason="whether the search for people has its words")
    with unit_of_work(scope, read_only=True) as session:
        missing = search_index.is_missing(session)
    if missing:
        # After an update from a version without it, or when it was stopped on the way.
        click.echo("Reading everybody's names for the search. It takes a minute for 50,000 people.")
        _rebuild_search(after=0, say=False)


def _first_administrator() -> str | None:
    scope = Scope.everything(reason="first administrator's sign-in link")
    with unit_of_work(scope) as session:
        return accounts.first_administrator_link(session, now=clock.now())


def _fill_practice() -> None:
    scope = Scope.everything(reason=_PRACTICE)
    with unit_of_work(scope) as session:
        if practice_people.is_filled(session, scope):
            return
    click.echo("Inventing the practice people. This takes a few seconds.")
    now = clock.now()
    fill_practice(today=now.date(), now=now)


def fill_practice(*, today: date, now: datetime) -> practice_people.PracticeWorld:
    """Load the cuts of the public registers, invent the practice people, say what was invented.

    today: the day that all other days are counted from; the same day gives the same people.
    Needs an application context over an empty database; raises NotEmpty for any other.
    """
    scope = Scope.everything(reason=_PRACTICE)
    folder = practice_people.EXTRACTS
    with (
        (folder / "gender_pay_extract.csv").open("rb") as employers,
        (folder / "nhs_sites_extract.csv").open("rb") as sites,
        (folder / "nhs_staff_extract.csv").open("rb") as staff,
        unit_of_work(scope) as session,
    ):
        _store(session, scope, RegisterKind.GENDER_PAY, {"employers": employers}, now=now)
        _store(session, scope, RegisterKind.NHS, {"sites": sites, "staff": staff}, now=now)
    with unit_of_work(scope) as session:
        return practice_people.fill(session, scope, today=today, now=now)


def _store(
    session: Session,
    scope: Scope,
    kind: RegisterKind,
    files: dict[str, BinaryIO],
    *,
    now: datetime,
    stated: StatedCounts | None = None,
) -> registers.Loaded:
    found = registers.read_register(kind, files, stated=stated)
    time_zone = str(current_app.config["TIME_ZONE"])
    return registers.load_register(session, scope, found, now=now, time_zone=time_zone)


@main.command()
def worker() -> None:
    """Do the long work (loading registers) of a server that runs without a worker inside."""
    with _app() as app:
        _require_current()
        running = tasks.start_worker(app)
        click.echo("Waiting for work. Press Ctrl+C to stop.")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            running.stop()


@main.command()
def migrate() -> None:
    """Bring the database to the tables of this version."""
    with _app() as app:
        before = migrating.database_head()
        _bring_up_to_date(app)
        scope = Scope.everything(reason="place tree rebuilt after an update")
        with unit_of_work(scope) as session:
            tree.rebuild_closure(session, today=clock.now().date())
        click.echo("Nothing to do." if before == migrating.database_head() else "Done.")


@main.group("spans")
def spans_group() -> None:
    """Look after what the counts are made from, which is derived from jobs and memberships."""


@spans_group.command("rebuild")
@click.option("--place", "place", type=click.UUID, help="Only people of this place: its id.")
@click.option("--after", default=0, show_default=True, help="Go on after this number.")
@click.option("--check", "only_look", is_flag=True, help="Only count what is wrong.")
def rebuild_spans(place: UUID | None, after: int, only_look: bool) -> None:
    """Work the spans of everybody out anew, a thousand people at a time.

    Each thousand is stored by itself. When it is stopped, --after with the last number that was
    printed goes on from there. With --check nothing is stored, and the exit status is 1 when
    something is wrong.
    """
    scope = Scope.everything(reason=_FROM_THE_COMMAND_LINE)
    with _app():
        _require_current()
        place_id = None if place is None else _place_of(scope, place)
        seen = wrong = 0
        while True:
            with unit_of_work(scope, read_only=only_look) as session:
                people = spans.next_people(session, after=after, place_id=place_id)
                if not people:
                    break
                wrong += spans.rebuild(session, people, store=not only_look)
            seen, after = seen + len(people), people[-1]
            click.echo(f"Looked at {seen:,}, up to number {after}.")
        click.echo(f"{'Wrong' if only_look else 'Put right'}: {wrong:,} of {seen:,} people.")
        if wrong and only_look:
            raise SystemExit(1)


@main.group("search")
def search_group() -> None:
    """Look after what the search for people reads, which is derived from names, phones and jobs."""


@search_group.command("rebuild")
@click.option("--after", default=0, show_default=True, help="Go on after this number.")
def rebuild_search(after: int) -> None:
    """Work out anew what the search reads of everybody, a thousand people at a time.

    For after a load past the program. Each thousand is stored by itself. When it is stopped,
    --after with the last number that was printed goes on from there.
    """
    with _app():
        _require_current()
        seen, wrong = _rebuild_search(after=after, say=True)
        click.echo(f"Put right: {wrong:,} lines. Looked at {seen:,} people.")


def _rebuild_search(*, after: int, say: bool) -> tuple[int, int]:
    """Return how many people were looked at, and how many of their lines were put right."""
    scope = Scope.everything(reason="search rebuilt from names, phones and jobs")
    seen = wrong = 0
    while True:
        with unit_of_work(scope) as session:
            people = spans.next_people(session, after=after)
            if not people:
                break
            wrong += search_index.refresh_many(session, people)
        seen, after = seen + len(people), people[-1]
        if say:
            click.echo(f"Looked at {seen:,}, up to number {after}.")
    with unit_of_work(scope) as session:
        search_index.sweep_words(session)
    return seen, wrong


def _place_of(scope: Scope, public_id: UUID) -> int:
    with unit_of_work(scope, read_only=True) as session:
        found = session.execute(scope.select(Place.id).where(Place.public_id == public_id)).scalar()
    if found is None:
        raise click.ClickException("There is no place with this id. It stands in the address.")
    return int(found)


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write a whole copy of the database to FILE, while the server may go on running."""
    with _app() as app:
        try:
            backups.write(app, file)
        except backups.CannotBackUp as error:
            raise click.ClickException(str(error)) from error
        click.echo(
            f"Wrote {file.name} ({file.stat().st_size:,} bytes). Keep it as safe as the list."
        )


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path) -> None:
    """Write everything to FILE in open formats: a ZIP of CSV tables and an SQLite file."""
    scope = Scope.everything(reason=_FROM_THE_COMMAND_LINE)
    with _app():
        _require_current()
        try:
            with unit_of_work(scope, read_only=True) as session:
                done = whole.write(session, scope, file, now=clock.now())
        except whole.CannotExport as error:
            raise click.ClickException(str(error)) from error
        with unit_of_work(scope) as session:
            record_export(
                session,
                what="everything",
                filters={},
                rows=done.rows,
                place_id=tree.everything_id(session),
            )
        click.echo(f"Wrote {done.rows:,} rows of {done.tables} tables to {file.name}.")
        click.echo("It is not encrypted. Keep it on an encrypted disk; delete it when done.")


@main.command()
def check() -> None:
    """Look at settings, database, tables and disk without starting anything."""
    with _app() as app:
        faults = []
        if not migrating.is_current():
            faults.append("The tables are not the newest. Run: crm migrate")
        else:
            faults += backups.faults(app)
        free = shutil.disk_usage(app.config["INSTANCE_FOLDER"]).free
        if free < app.config["MINIMUM_FREE_DISK"]:
            faults.append("The disk is nearly full. Make room before somebody's talk is refused.")
        for fault in faults:
            click.echo(fault)
        if faults:
            raise SystemExit(1)
        click.echo("Settings, database, tables and disk are in order.")


@main.command("invite-admin")
@click.option("--name", prompt="Name of the new administrator", help="Their name.")
def invite_admin(name: str) -> None:
    """Print a one-time link for a further administrator."""
    scope = Scope.everything(reason=_FROM_THE_COMMAND_LINE)
    with _app() as app:
        _require_current()
        with unit_of_work(scope) as session:
            token = accounts.invite_administrator(session, scope, name=name, now=clock.now())
        address = app.config["PUBLIC_URL"] or "http://127.0.0.1:8000"
        click.echo("Give them this link in person. It works once, within 72 hours:")
        click.echo(f"{address}/welcome/{token}")


@main.command("stuck-cases")
def stuck_cases() -> None:
    """List open cases that nobody on their team can open: their id, place and day, no more."""
    scope = Scope.everything(reason=_FROM_THE_COMMAND_LINE)
    with _app():
        _require_current()
        with unit_of_work(scope, read_only=True) as session:
            found = cases.list_stuck(session, scope, day=clock.now().date())
        for one in found:
            click.echo(f"{one.public_id}  {one.place_name}, opened {one.opened_on.isoformat()}")
        if not found:
            click.echo("None: each open case has somebody on its team who can open it.")


@main.command("give-case")
@click.argument("case_id", type=click.UUID)
@click.argument("sign_in_name")
def give_case(case_id: UUID, sign_in_name: str) -> None:
    """Put a user on the team of a case that nobody can open any more."""
    scope = Scope.everything(reason=_FROM_THE_COMMAND_LINE)
    with _app():
        _require_current()
        try:
            with unit_of_work(scope) as session:
                name = case_work.give_stuck(
                    session, scope, case_id, sign_in_name=sign_in_name, now=clock.now()
                )
        except NotFound as error:
            raise click.ClickException("There is no such case that nobody can open.") from error
        except Refusal as refusal:
            raise click.ClickException(
                "This user holds no role at the place of the case, or does not exist."
            ) from refusal
        click.echo(f"{name} is on the team of the case now.")


@main.group()
def load() -> None:
    """Load a public register. Loading the same file again changes nothing."""


_FILE = click.File("rb")


@load.command("gender-pay")
@click.argument("file", type=_FILE)
def load_gender_pay(file: BinaryIO) -> None:
    """Load the UK gender pay gap employers from FILE (.csv or .csv.gz)."""
    _load(RegisterKind.GENDER_PAY, {"employers": file})


@load.command("nhs")
@click.option("--sites", type=_FILE, required=True, help="The list of trusts and sites.")
@click.option("--staff", type=_FILE, required=True, help="Staff by organisation (FTE).")
@click.option("--hospitals", type=_FILE, help="The list of hospitals, for coordinates.")
def load_nhs(sites: BinaryIO, staff: BinaryIO, hospitals: BinaryIO | None) -> None:
    """Load NHS trusts and their sites, with staff as full-time equivalents."""
    files = {"sites": sites, "staff": staff}
    _load(RegisterKind.NHS, files | ({"hospitals": hospitals} if hospitals else {}))


@load.command("member-counts")
@click.argument("file", type=_FILE)
@click.option("--name", required=True, help="What the places are, such as: US counties, 2016-2020")
@click.option("--scheme", required=True, help="Whose ids the file uses, such as: us-county")
@click.option("--on", "on_day", required=True, type=click.DateTime(["%Y-%m-%d"]))
def load_member_counts(file: BinaryIO, name: str, scheme: str, on_day: datetime) -> None:
    """Load stated numbers of workers and members, without names, from FILE."""
    stated = StatedCounts(employer_name=name, scheme=scheme, on_day=on_day.date())
    _load(RegisterKind.MEMBER_COUNTS, {"counts": file}, stated)


def _load(
    kind: RegisterKind, files: dict[str, BinaryIO], stated: StatedCounts | None = None
) -> None:
    scope = Scope.everything(reason=_FROM_THE_COMMAND_LINE)
    with _app():
        _require_current()
        try:
            with unit_of_work(scope) as session:
                loaded = _store(session, scope, kind, files, now=clock.now(), stated=stated)
        except Refusal as refusal:
            raise click.ClickException(refusal.message % refusal.params) from refusal
        _report(loaded)


@main.group("report")
def report_group() -> None:
    """Write figures to a file, as one user may see and take them out. Nobody's name is in it."""


def _as_user(command: Any) -> Any:
    return click.option(
        "--as",
        "sign_in_name",
        envvar="SHOPFLOOR_AS",
        required=True,
        help="Whose places and rights: the name they sign in with. Or set SHOPFLOOR_AS.",
    )(command)


_DAY = click.DateTime(["%Y-%m-%d"])
_OUT = click.option(
    "-o", "--output", type=click.File("wb"), default="-", help="The file. Left out: the screen."
)


@report_group.command("density")
@_as_user
@click.option("--as-at", type=_DAY, help="The day, like 2026-10-31. Left out: today.")
@click.option(
    "--compare",
    type=_DAY,
    help="Another day: its lines come too, and how members changed since, or why that is not told.",
)
@click.option("--by", type=click.Choice([one.value for one in GroupBy]), default="workplace")
@click.option(
    "--counts",
    type=click.Choice([one.value for one in CHOSEN]),
    default=Counts.SITE_ALL.value,
    show_default=True,
    help="Out of whom.",
)
@click.option(
    "--format", "sort", type=click.Choice(["csv", "xlsx"]), default="csv", help="The sort of file."
)
@click.option("--language", default="en", show_default=True, help="Of the words in it.")
@_OUT
def report_density(
    sign_in_name: str,
    as_at: datetime | None,
    compare: datetime | None,
    by: str,
    counts: str,
    sort: str,
    language: str,
    output: BinaryIO,
) -> None:
    """Write the densities of the user's places, the same as the file of the density page."""
    with _running() as app:
        scope, today = _scope_of(app, sign_in_name)
        day = as_at.date() if as_at else today
        other = compare.date() if compare else None
        if max(day, other or day) > today:
            raise click.ClickException("This day has not come yet. Choose today or a day before.")
        filters = density.Filters(as_at=day, by=GroupBy(by), counts=basis_of(counts), compare=other)
        with unit_of_work(scope, read_only=True) as session:
            answer = density.read_answer(session, scope, filters, permission=Permission.EXPORT_MAKE)
        asked = {"as_at": str(day), "by": by, "counts": counts}
        if other is not None:
            asked["compare"] = str(other)
        practice = bool(app.config["PRACTICE"])
        if sort == "csv":
            content = density_csv(answer.everything, practice=practice)
        else:
            with unit_of_work(scope, read_only=True) as session:
                name = reports.actor_name(session, scope)
            with force_locale(language):
                about = _about_densities(app, filters, answer, made_by=name)
                content = density_xlsx(
                    answer.everything, about, gettext("Density"), practice=practice
                )
        _record(scope, f"density_{sort}", asked, len(answer.everything), None)
        output.write(content)


def _about_densities(
    app: Flask, filters: density.Filters, answer: density.Answer, *, made_by: str
) -> About:
    """Return the first sheet of a workbook of densities."""
    changed = density_words.compared_text(answer.total, answer.earlier_total)
    return About(
        name=gettext("About"),
        title=gettext("Density"),
        lines=(
            (gettext("As at"), filters.as_at.isoformat()),
            (gettext("Out of"), label(filters.counts)),
            *([(gettext("Compared"), changed)] if changed else []),
            (gettext("Made by"), made_by),
            (gettext("Organisation"), str(app.config["ORGANISATION"])),
        ),
        words=(
            gettext("Contains union data: do not leave on a table."),
            gettext("“Not known” is never counted as “no”."),
            gettext("[x] means not known. [z] means does not apply."),
        ),
    )


def _of_a_report(command: Any) -> Any:
    """Put the options of a report of a place before a command."""
    for option in (
        _OUT,
        click.option("--language", default="en", show_default=True, help="Of the words in it."),
        click.option(
            "--format",
            "sort",
            type=click.Choice(["csv", "xlsx", "pdf", "zip"]),
            default="csv",
            help="The sort of file.",
        ),
        click.option("--as-at", type=_DAY, help="The day, like 2026-10-31. Left out: today."),
        click.option(
            "--place", type=click.UUID, required=True, help="The place: its id in the address."
        ),
        _as_user,
    ):
        command = option(command)
    return command


@report_group.command("pack")
@_of_a_report
@click.option("--since", type=_DAY, help="The last meeting. Left out: four weeks before.")
@click.option("--part", "parts", multiple=True, type=click.Choice([one.value for one in PartName]))
def report_pack(since: datetime | None, parts: tuple[str, ...], **asked: Any) -> None:
    """Write the report of a place: the same as its page."""
    _write_report(since=since, parts=[PartName(part) for part in parts] or ALWAYS, **asked)


@report_group.command("readiness")
@_of_a_report
def report_readiness(**asked: Any) -> None:
    """Write the gates, the index and the parts of strike-readiness of a place."""
    _write_report(since=None, parts=[PartName.READINESS], **asked)


def _write_report(
    *,
    sign_in_name: str,
    place: UUID,
    since: datetime | None,
    as_at: datetime | None,
    parts: Sequence[PartName],
    sort: str,
    language: str,
    output: BinaryIO,
) -> None:
    with _running() as app:
        scope, today = _scope_of(app, sign_in_name)
        last = as_at.date() if as_at else today
        first = since.date() if since else last - reports.FOUR_WEEKS
        if first >= last or last > today:
            raise click.ClickException("The days must be in order, and the last not after today.")
        zone = str(app.config["TIME_ZONE"])
        try:
            with unit_of_work(scope, read_only=True) as session:
                pack = build_report(
                    session,
                    scope,
                    place,
                    since=first,
                    as_at=last,
                    day=clock.now().date(),
                    day_end=clock.end_of(last, zone),
                    expiry=expiry_rule(),
                    parts=parts,
                    permission=Permission.EXPORT_MAKE,
                )
                name = reports.actor_name(session, scope)
                inner = reports.unit_key(session, scope, place)
        except NotFound as error:
            raise click.ClickException(
                "There is no such place, or this user may not take files out of all of it."
            ) from error
        maker = report_files.Maker(
            organisation=str(app.config["ORGANISATION"]),
            made_by=name,
            made_at=clock.now().astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"),
            practice=bool(app.config["PRACTICE"]),
        )
        with force_locale(language):
            try:
                content = _content(pack, maker, sort)
            except Refusal as refusal:
                raise click.ClickException(refusal.message % refusal.params) from refusal
        asked = {"since": str(first), "as_at": str(last), "parts": [part.value for part in parts]}
        _record(scope, f"report_{sort}", asked, len(figure_rows(pack)), inner)
        output.write(content)


def _content(pack: ReportPack, maker: report_files.Maker, sort: str) -> bytes:
    if sort == "csv":
        return report_files.csv_of(pack, maker)
    if sort == "xlsx":
        return report_files.xlsx_of(pack, maker)
    if sort == "pdf":
        return report_files.pdf_file(pack, maker)
    return report_files.zip_of(pack, maker, f"report-{pack.as_at.isoformat()}")[0]


def _record(scope: Scope, what: str, asked: dict[str, Any], rows: int, place: int | None) -> None:
    """Write into the trail that the file is taken out, before it is."""
    with unit_of_work(scope) as session:
        noted = {**asked, "way": "command"}
        if place is None:
            audit.record_export_of_all(session, scope, what=what, filters=noted, rows=rows)
        else:
            audit.record_export(session, what=what, filters=noted, rows=rows, place_id=place)


@contextmanager
def _running() -> Iterator[Flask]:
    """Yield the app in its context: that of `flask report`, or our own for `crm report`."""
    held = click.get_current_context().find_object(ScriptInfo)
    if held is None:
        with _app() as app:
            _require_current()
            yield app
    else:
        app = held.load_app()
        with app.app_context():
            _require_current()
            yield app


def _scope_of(app: Flask, sign_in_name: str) -> tuple[Scope, date]:
    """Return what a user may see and do today, and which day it is."""
    today = clock.today(str(app.config["TIME_ZONE"]))
    with unit_of_work(read_only=True) as session:
        user_id = find_user_id(session, sign_in_name)
        if user_id is None:
            raise click.ClickException("Nobody signs in under this name.")
        scope = scope_of(session, user_id, today)
    if not scope.may(Permission.EXPORT_MAKE):
        raise click.ClickException("This user may not take files out.")
    return scope, today


def _require_current() -> None:
    if not migrating.is_current():
        raise click.ClickException("The tables are not the newest. Run: crm migrate")


def _report(loaded: registers.Loaded) -> None:
    for sort, tally in loaded.tallies.items():
        words = f"{tally.new:,} new, {tally.changed:,} changed, {tally.unchanged:,} as before"
        click.echo(f"{sort.replace('_', ' ')}: {words}.")
    for found in loaded.problems:
        problem = found.problem
        left_out = " The row is left out." if problem.row_left_out else ""
        column = f", {problem.column}" if problem.column else ""
        row = f"{found.file}, row {problem.row_number}{column}"
        click.echo(f"{row}: {problem.message} It says: {problem.value_shown}{left_out}")
