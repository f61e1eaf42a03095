"""The wall in words and tiles, ready for the templates: no arithmetic is left to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext

from crm.domain.assessment import ExpiryRule, Freshness, freshness_of
from crm.domain.cover import Stage, leaders_needed
from crm.domain.headcount import Headcount as Estimate
from crm.domain.wallchart import (
    QUIET_DAYS,
    SHORTEST,
    Gap,
    OnTheWall,
    Sums,
    TalkAge,
    has_gap,
)
from crm.features.wallchart.queries import HIDDEN_KEY, NO_KEY, YES_KEY, Group, GroupBy, Own, Wall
from crm.web.filters import day, people
from crm.web.labels import NOT_KNOWN, label, rating_label

# More blanks than this in one column are said in words.
MOST_BLANKS = 60
# Walls with more people than this show their columns folded.
OPEN_UP_TO = 400
# Walls with more people than this draw the tiles of one column at a time.
DRAWN_UP_TO = 1000
# The signs of the last tests are on the tiles while no more than so many are shown: more of them
# would weigh too much for a slow line, and the table has them in words.
TESTS_DRAWN_UP_TO = 250
# Walls with more columns than this do too: fifty feet would weigh a quarter of the page.
COLUMNS_DRAWN_UP_TO = 30
GAPS_SHOWN = 5

Address = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure under a column: what it is, its value with its base, and the list behind it."""

    name: str
    value: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Tile:
    """A person as a tile. rating None = not asked. edge: a letter from a, a talk of
    late, to d, none yet. css: the classes of the tile.

    member: "yes", "no" or "unknown". leads: "found", "sure" or empty. words: all that the other
    signs of the tile say.
    old: where they stand is too old to count. apart: two of us see it differently.
    run: set on the first tile of those who stand alike: the word and how many they are.
    """

    short: str
    name: str
    initials: str
    rating: int | None
    firm: bool
    edge: str
    member: str
    left_alone: bool
    leads: str
    old: bool
    apart: bool
    css: str
    words: str
    run: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the wall. letter: its name on paper, which only the key explains.

    blanks: squares to draw; more_blanks: how many more there are. size: people here whom the
    filters keep. open_url: set instead of tiles on a wall too large to draw at once.
    """

    key: str
    letter: str
    title: str
    known: bool
    summary: str
    tiles: tuple[Tile, ...]
    size: int
    open_url: str | None
    drawn_alone: bool
    hidden: int
    blanks: int
    more_blanks: int
    blank_url: str | None
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GapLine:
    """One gap: what it is, how many people, the list of them, and where a talk list is made."""

    title: str
    text: str
    list_url: str
    talk_url: str | None


@dataclass(frozen=True, slots=True)
class Gaps:
    """All gaps of today: of the columns, the worst first, and of the whole workplace.

    leaderless: the columns without a leader, each with how many people are in it.
    """

    groups: tuple[GapLine, ...] = ()
    more: int = 0
    overall: tuple[GapLine, ...] = ()
    leaderless: tuple[GapLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """Which people the filters keep; empty keeps everybody."""

    stands: str = ""
    member: str = ""
    issue: str = ""
    leads: str = ""
    # The keys of those on a list or with a tag; None = everybody.
    among: frozenset[int] | None = None

    @property
    def everybody(self) -> bool:
        """Whether nobody is filtered out."""
        return self.among is None and not (self.stands or self.member or self.issue or self.leads)

    def keeps(self, person: OnTheWall) -> bool:
        """Whether the filters keep the person."""
        return (
            _stands(person, self.stands)
            and (not self.member or _member(person) == _MEMBER_WORD[self.member])
            and (not self.issue or person.raised_issue)
            and (self.leads != "yes" or person.leads is not None)
            and (self.leads != "none" or not person.led)
            and (self.among is None or person.key in self.among)
        )


_MEMBER_WORD = {"member": "yes", "not_member": "no", "not_known": "unknown"}


def _stands(person: OnTheWall, wanted: str) -> bool:
    if wanted == "none":
        return person.rating is None
    if wanted == "asked":
        return person.rating is not None
    return not wanted or (person.rating is not None and str(person.rating) in wanted)


def _member(person: OnTheWall) -> str:
    return {True: "yes", False: "no", None: "unknown"}[person.member]


def range_text(estimate: Estimate | None) -> str | None:
    """Return how many people a headcount says, as a number or a range; None for not known."""
    if estimate is None:
        return None
    low, high = estimate.low, estimate.high
    if low is None:
        return people(estimate.best)
    if high is None:
        return str(_("%(low)s or more", low=people(low)))
    if low == high:
        return people(low)
    return str(_("%(low)s to %(high)s", low=people(low), high=people(high)))


def short_keys(wall: Wall) -> dict[str, str]:
    """Return for each column's key the first letters that no other key of the wall starts with.

    Addresses of columns are read by such letters, see queries.find_by_key.
    """
    long = [group.key for group in wall.groups]
    return {
        key: next(
            (
                key[:size]
                for size in range(SHORTEST, len(key))
                if sum(other.startswith(key[:size]) for other in long) == 1
            ),
            key,
        )
        for key in long
    }


def group_title(group: Group, by: GroupBy, own: Own | None = None) -> str:
    """Return the heading of a column. own: the tag or field that the wall has columns by."""
    if group.label is not None:
        return group.label
    if group.key == HIDDEN_KEY:
        return str(_("Not shown to you"))
    if group.key in (YES_KEY, NO_KEY):
        return str(_("Yes") if group.key == YES_KEY else _("No"))
    if own is not None:
        return str(_("Without this tag") if own.kind is None else NOT_KNOWN)
    return str(
        {
            GroupBy.AREA: _("Area not known"),
            GroupBy.SHIFT: _("Shift not known"),
            GroupBy.JOB: _("Job not known"),
            GroupBy.EMPLOYER: _("Employer not known"),
            GroupBy.LEADER: _("No leader yet"),
        }[by]
    )


def figures(
    counts: Sums, estimate: Estimate | None, address: Address, **group: str
) -> tuple[Figure, ...]:
    """Return the figures under a column or of the whole wall, each with the list behind it."""
    workers = range_text(estimate)
    on_list = people(counts.named)
    if workers is None:
        named = str(_("%(named)s. How many work here is not known.", named=on_list))
    else:
        named = str(_("%(named)s of %(workers)s", named=on_list, workers=workers))
    if workers is None or _over(counts, estimate):
        base = str(_("%(named)s on our list", named=on_list))
    else:
        base = workers
    members = str(_("%(some)s of %(all)s", some=people(counts.members), all=base))
    if counts.member_not_known:
        members = str(
            _(
                "%(members)s, %(unknown)s not known",
                members=members,
                unknown=people(counts.member_not_known),
            )
        )
    need = leaders_needed(max(_likely(estimate) or 0, counts.named))
    return (
        Figure(str(_("On our list")), named, address(view="table", **group)),
        Figure(
            str(_("Asked")),
            str(_("%(some)s of %(all)s", some=people(counts.asked), all=on_list)),
            address(view="table", stands="asked", **group),
        ),
        Figure(
            str(_("With us (1 and 2)")),
            str(_("%(some)s of %(all)s", some=people(counts.with_us), all=base)),
            address(view="table", stands="12", **group),
        ),
        Figure(str(_("Members")), members, address(view="table", member="member", **group)),
        Figure(
            str(_("Leaders")),
            str(_("%(have)s of %(need)s needed", have=people(counts.leaders), need=people(need))),
            address(view="table", leads="yes", **group),
        ),
    )


def _likely(estimate: Estimate | None) -> float | None:
    if estimate is None:
        return None
    return estimate.low if estimate.best is None else estimate.best


def _over(counts: Sums, estimate: Estimate | None) -> bool:
    """Whether more people are on the list than the headcount says there can be."""
    most = None if estimate is None else estimate.high
    return most is not None and counts.named > most


def columns(
    wall: Wall,
    shorts: dict[Any, str],
    shown: Shown,
    *,
    address: Address,
    add_address: Address | None,
    open_address: Address | None = None,
    opened: str = "",
) -> list[Column]:
    """Return the columns with their tiles and figures, in the order of the wall.

    open_address: given where a large wall is to draw only the column `opened` (letters of its
    key), and to lead to the others.
    """
    words = _Words(with_tests=tests_drawn(wall, shown))
    keys = short_keys(wall)
    few = open_address is None or (
        len(wall.people) <= DRAWN_UP_TO and len(wall.groups) <= COLUMNS_DRAWN_UP_TO
    )
    found = []
    for place, group in enumerate(wall.groups):
        alone = not few and keys[group.key] == opened
        kept = [person for person in group.people if shown.keeps(person)]
        found.append(
            Column(
                key=group.key,
                letter=_letter(place),
                title=group_title(group, wall.by, wall.own_chosen),
                known=group.label is not None,
                summary=_summary(group),
                tiles=tuple(words.tiles(kept, shorts)) if few or alone else (),
                size=len(kept),
                open_url=open_address(open=keys[group.key])
                if open_address and kept and not (few or alone)
                else None,
                drawn_alone=alone,
                hidden=len(group.people) - len(kept),
                blanks=min(group.blanks, MOST_BLANKS) if shown.everybody else 0,
                more_blanks=max(0, group.blanks - MOST_BLANKS) if shown.everybody else 0,
                blank_url=_blank_url(group, add_address, keys[group.key]),
                figures=figures(group.sums, group.headcount, address, group=keys[group.key]),
                notes=tuple(_notes(group, wall)),
            )
        )
    return found


def tests_drawn(wall: Wall, shown: Shown) -> bool:
    """Return whether the tiles have signs for the last tests there."""
    return bool(wall.tests) and sum(map(shown.keeps, wall.people)) <= TESTS_DRAWN_UP_TO


def _blank_url(group: Group, add_address: Address | None, key: str) -> str | None:
    if add_address is None:
        return None
    return add_address(area=key) if group.area_id else add_address()


def _letter(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _summary(group: Group) -> str:
    on_list = ngettext(
        "%(people)s person", "%(people)s people", group.sums.named, people=people(group.sums.named)
    )
    parts = [on_list]
    if group.sums.named:
        parts.append(
            _(
                "asked %(asked)s of %(named)s",
                asked=people(group.sums.asked),
                named=people(group.sums.named),
            )
        )
    if group.blanks:
        parts.append(_("%(count)s not named yet", count=people(group.blanks)))
    return " · ".join(str(part) for part in parts)


def _notes(group: Group, wall: Wall) -> Iterable[str]:
    if group.inside:
        yield str(_("These figures count the areas inside this one too."))
    if _over(group.sums, group.headcount):
        yield str(
            _(
                "More people are on our list than the count says (%(workers)s). Count again.",
                workers=range_text(group.headcount),
            )
        )
    if group.headcount is not None:
        yield str(
            _(
                "Workers counted: %(whom)s, %(day)s.",
                whom=label(group.headcount.counts),
                day=day(group.headcount.on_day),
            )
        )


@dataclass(slots=True)
class _Words:
    """Makes tiles. What is said of people who stand alike is put together once."""

    with_tests: bool
    _said: dict[Any, tuple[str, str]] = field(default_factory=dict)

    def tiles(self, kept: Sequence[OnTheWall], shorts: dict[Any, str]) -> Iterable[Tile]:
        alike: dict[int | None, int] = {}
        for person in kept:
            alike[person.rating] = alike.get(person.rating, 0) + 1
        begun: set[int | None] = set()
        for person in kept:
            run = None
            if person.rating not in begun:
                begun.add(person.rating)
                run = (rating_label(person.rating), alike[person.rating])
            css, words = self._signs(person)
            yield Tile(
                short=shorts[person.public_id],
                name=person.name,
                initials=initials(person.name),
                rating=person.rating,
                firm=person.firm is not False,
                edge=_AGE_LETTER[person.talk_age],
                member=_member(person),
                left_alone=person.do_not_contact,
                leads=_LEADS[person.leads],
                old=person.too_old,
                apart=person.apart,
                css=css,
                words=words,
                run=run,
            )

    def _signs(self, person: OnTheWall) -> tuple[str, str]:
        key = (
            person.rating,
            person.firm,
            person.talk_age,
            person.member,
            person.do_not_contact,
            person.too_old,
            person.apart,
            person.tests if self.with_tests else "",
        )
        if key not in self._said:
            drawn = person if self.with_tests else replace(person, tests="")
            self._said[key] = (tile_css(drawn), tile_words(drawn))
        return self._said[key]


_AGE_LETTER = {
    TalkAge.RECENT: "a",
    TalkAge.OLDER: "b",
    TalkAge.OLD: "c",
    TalkAge.NEVER: "d",
}


def tile_css(person: OnTheWall) -> str:
    """Return the classes of a tile. One letter each: there are hundreds of tiles on a wall.

    Where they stand comes last, beside the words that begin with it: that compresses best.
    """
    letters = [_AGE_LETTER[person.talk_age]]
    letters += {True: ["y"], None: ["u"], False: []}[person.member]
    if person.rating is not None and person.firm is False:
        letters.append("f")
    if person.too_old:
        letters.append("o")
    if person.apart:
        letters.append("z")
    if person.do_not_contact:
        letters.append("x")
    if person.tests:
        letters.append(f"t{person.tests}")
    return " ".join([*letters, f"s{person.rating or 0}"])


def tile_words(person: OnTheWall) -> str:
    """Return what the signs of a tile say: where they stand, how we know, union, last talk."""
    parts = [rating_label(person.rating)]
    if person.rating is not None and person.firm is False:
        parts.append(_("not first hand"))
    if person.too_old:
        parts.append(_("too old to count"))
    if person.apart:
        parts.append(_("two of us see it differently"))
    parts.append(_MEMBER_WORDS[_member(person)])
    parts.append(age_words(person.talk_age))
    if person.do_not_contact:
        parts.append(_("asked us not to contact them"))
    if person.tests:
        parts.append(tests_words(person.tests))
    return ", ".join(str(part) for part in parts)


_MEMBER_WORDS = {
    "yes": lazy_gettext("member"),
    "no": lazy_gettext("not a member"),
    "unknown": lazy_gettext("membership not known"),
}


def tests_words(signs: str) -> str:
    """Return what somebody did in the last tests, the oldest first: "tests: did, not known"."""
    return str(_("tests: %(what)s", what=_test_words(signs)))


def _test_words(signs: str) -> str:
    return ", ".join(str(_SIGN_WORDS[sign]) for sign in signs)


_SIGN_WORDS = {
    "d": lazy_gettext("did"),
    "n": lazy_gettext("did not"),
    "q": lazy_gettext("not known"),
    "o": lazy_gettext("not listed"),
}


_LEADS = {None: "", Stage.IDENTIFIED: "found", Stage.CONFIRMED: "sure"}


def age_words(age: TalkAge) -> str:
    """Return how long ago the last talk was, in words."""
    return str(_AGE_WORDS[age])


_AGE_WORDS = {
    TalkAge.RECENT: lazy_gettext("talk in the last 60 days"),
    TalkAge.OLDER: lazy_gettext("talk 61 to 120 days ago"),
    TalkAge.OLD: lazy_gettext("talk over 120 days ago"),
    TalkAge.NEVER: lazy_gettext("no talk yet"),
}


def initials(name: str) -> str:
    """Return the first signs of the words of a name, three at most: Night packer 3 gives NP3."""
    return "".join(word[0].upper() for word in name.split() if word[0].isalnum())[:3] or "?"


def gaps(wall: Wall, *, address: Address, talk_address: Address | None) -> Gaps:
    """Return the gaps of a wall of today, the worst first."""
    lines = []
    keys = short_keys(wall)
    for group in wall.groups:
        count = sum(has_gap(person, Gap.NOT_ASKED) for person in group.all_here)
        if count:
            for_list = wall.by is GroupBy.AREA and talk_address is not None
            line = GapLine(
                title=group_title(group, wall.by, wall.own_chosen),
                text=str(
                    _(
                        "%(count)s of %(named)s not asked",
                        count=people(count),
                        named=people(group.sums.named),
                    )
                ),
                list_url=address(view="table", gap=Gap.NOT_ASKED.value, group=keys[group.key]),
                talk_url=talk_address(gap=Gap.NOT_ASKED.value, group=keys[group.key])
                if for_list and talk_address
                else None,
            )
            lines.append((count, line))
    ordered = [line for _count, line in sorted(lines, key=lambda one: -one[0])]
    overall = []
    for gap, title in (
        (Gap.NO_TALK, _("Not spoken to in %(days)s days", days=QUIET_DAYS)),
        (Gap.NO_TASK, _("Said yes once, nothing planned")),
        (Gap.NO_LEADER, _("No leader reaches them")),
        (Gap.APART, _("Two of us see them differently")),
    ):
        count = sum(has_gap(person, gap) for person in wall.people)
        if gap is Gap.APART and not count:
            continue
        overall.append(
            GapLine(
                title=str(title),
                text=str(
                    _(
                        "%(some)s of %(all)s on our list",
                        some=people(count),
                        all=people(wall.sums.named),
                    )
                ),
                list_url=address(view="table", gap=gap.value),
                talk_url=talk_address(gap=gap.value) if talk_address and count else None,
            )
        )
    return Gaps(
        groups=tuple(ordered[:GAPS_SHOWN]),
        more=max(0, len(ordered) - GAPS_SHOWN),
        overall=tuple(overall),
        leaderless=tuple(_leaderless(wall, keys, address)),
    )


def _leaderless(wall: Wall, keys: dict[str, str], address: Address) -> Iterable[GapLine]:
    """Return the columns without any leader, the largest first; none of a wall by leader."""
    if wall.by is GroupBy.LEADER:
        return []
    without = [
        group
        for group in wall.groups
        if group.label is not None and group.sums.named and not group.sums.leaders
    ]
    return [
        GapLine(
            title=group_title(group, wall.by, wall.own_chosen),
            text=people(group.sums.named),
            list_url=address(view="table", group=keys[group.key]),
            talk_url=None,
        )
        for group in sorted(without, key=lambda group: -group.sums.named)
    ]


def gap_title(gap: Gap, group_label: str | None) -> str:
    """Return the name of a gap for the page of a talk list."""
    words = {
        Gap.NOT_ASKED: _("People we have not asked"),
        Gap.NO_TALK: _("People not spoken to in %(days)s days", days=QUIET_DAYS),
        Gap.NO_TASK: _("People who said yes once, with nothing planned"),
        Gap.NO_LEADER: _("People no leader reaches"),
        Gap.APART: _("People whom two of us see differently"),
    }[gap]
    return str(words) if group_label is None else f"{words}: {group_label}"


def gap_task(gap: Gap) -> str:
    """Return what a follow-up of a talk list says."""
    return str(
        {
            Gap.NOT_ASKED: _("Ask where they stand"),
            Gap.NO_TALK: _("Catch up: no talk for a while"),
            Gap.NO_TASK: _("They said yes once: ask what they would like to do"),
            Gap.NO_LEADER: _("Ask whom they go to when something is wrong"),
            Gap.APART: _("Two of us see it differently: talk it over, then ask them"),
        }[gap]
    )


@dataclass(frozen=True, slots=True)
class TableRow:
    """A person in the table that says in words what the wall shows."""

    short: str
    name: str
    group: str
    rating: int | None
    firm: bool
    freshness: Freshness
    apart: bool
    member: bool | None
    last_talk_on: date | None
    left_alone: bool
    leads: Stage | None
    tests: str


def table_rows(
    groups: Iterable[tuple[str, Sequence[OnTheWall]]],
    shorts: dict[Any, str],
    as_at: date,
    expiry: ExpiryRule,
) -> list[TableRow]:
    """Return a row for each person of each group, in the order given.

    expiry: how long an assessment counts.
    """
    return [
        TableRow(
            short=shorts[person.public_id],
            name=person.name,
            group=title,
            rating=person.rating,
            firm=person.firm is not False,
            freshness=Freshness.FRESH
            if person.scored_on is None
            else freshness_of((as_at - person.scored_on).days, expiry),
            apart=person.apart,
            member=person.member,
            last_talk_on=person.last_talk_on,
            left_alone=person.do_not_contact,
            leads=person.leads,
            tests=_test_words(person.tests) or str(_("not listed")),
        )
        for title, of_group in groups
        for person in of_group
    ]
