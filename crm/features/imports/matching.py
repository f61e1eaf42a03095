"""The matching page's forms: what is asked about a list, and what was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.tables.found import Table
from crm.domain.assessment import Basis
from crm.domain.columns import Target
from crm.domain.listed import place_key
from crm.domain.listed_successions import Became
from crm.domain.vocabulary import ContractType, ImportKind, QuestionKind
from crm.features.imports import ballots, forms, queries, service, successions
from crm.features.imports.areas import NEW_AREA
from crm.features.imports.asking import answers_of, questions_of
from crm.features.imports.others import OTHERS
from crm.features.imports.places import BUYER, ITS_OWN, NEW_EMPLOYER, OWN_EMPLOYER
from crm.features.imports.rules import ALL_MEMBERS, Rules, headings_of
from crm.reads.places import Choice
from crm.web.db import unit_of_work
from crm.web.forms import chosen_id
from crm.web.labels import LABELS, RATINGS, label
from crm.web.law import law_choices


def match_form(scope: Scope, kind: ImportKind, table: Table, rules: Rules) -> Any:
    """Return the form of a list, with what was chosen or guessed for it so far."""
    labelled = [
        (place, heading or gettext("Column %(number)s", number=place + 1))
        for place, heading in enumerate(headings_of(table, rules))
    ]
    data: dict[str, Any] = {f"to{place}": one.value for place, one in enumerate(rules.targets)}
    if kind in OTHERS:
        with unit_of_work(scope, read_only=True) as session:
            asking = questions_of(session, scope, kind, rules)
        return forms.other_form(kind, labelled, asking.fields, data={**data, **asking.held})
    of_people = kind is ImportKind.PEOPLE
    workplaces: list[Choice] = []
    employers: list[Choice] = []
    buyers: list[Choice] = []
    with unit_of_work(scope, read_only=True) as session:
        unions = queries.unions_to_choose(session, scope)
        if of_people:
            workplaces = queries.workplaces_to_choose(session, scope)
        else:
            employers = queries.employers_to_choose(session, scope)
            if kind is ImportKind.SUPPLIERS:
                buyers = queries.buyers_to_choose(session, scope)
    # Too many to pick from: then a column of the list must name them.
    workplaces = workplaces if len(workplaces) <= queries.MOST_OFFERED else []
    employers = employers if len(employers) <= queries.MOST_OFFERED else []
    data |= {
        "as_at": rules.as_at,
        "workplace": rules.workplace or (workplaces[0].value if len(workplaces) == 1 else ""),
        "union": rules.union or (unions[0].value if len(unions) == 1 and of_people else ""),
        "employer": rules.answers.get(OWN_EMPLOYER)
        or rules.employer
        or (employers[0].value if len(employers) == 1 else ""),
        "buyer": rules.answers.get(BUYER, ""),
        "counts": rules.counts or "",
        ALL_MEMBERS: ALL_MEMBERS in rules.answers,
        "source": rules.source or "",
        "strongest": str(rules.strongest) if rules.strongest else None,
        "basis": (rules.basis or Basis.TOLD).value,
    }
    return forms.match_form(
        kind,
        labelled,
        workplaces=[(one.value, one.label) for one in workplaces],
        employers=[(one.value, one.label) for one in employers],
        unions=[(one.value, one.label) for one in unions],
        buyers=[(one.value, one.label) for one in buyers],
        may_add_employers=scope.nodes(Permission.EMPLOYER_WRITE) is None,
        data=data,
    )


def chosen(form: Any, kind: ImportKind, table: Table, rules: Rules) -> Rules:
    """Return the rules with what was chosen in the form, which is valid."""
    before = rules
    targets = tuple(Target(form[f"to{place}"].data) for place in range(table.width))
    workplace = chosen_id(form.workplace.data) if "workplace" in form else None
    union = chosen_id(form.union.data) if "union" in form else None
    strongest: int | None = None
    rules = replace(
        before,
        targets=targets,
        workplace=str(workplace) if workplace and Target.WORKPLACE not in targets else None,
        union=str(union) if union else None,
        as_at=form.as_at.data if "as_at" in form else before.as_at,
    )
    if kind in OTHERS:
        rules = replace(rules, answers=answers_of(form, form.asked))
    elif kind is ImportKind.PEOPLE:
        strongest = int(form.strongest.data) if form.strongest.data else None
        rules = replace(
            rules,
            strongest=strongest,
            basis=Basis(form.basis.data),
            answers={ALL_MEMBERS: "y"} if form[ALL_MEMBERS].data else {},
        )
    else:
        employer = chosen_id(form.employer.data) if "employer" in form else None
        answers = answers_of(form, ["buyer"] if "buyer" in form else [])
        if "employer" in form and form.employer.data == ITS_OWN:
            answers[OWN_EMPLOYER] = ITS_OWN
        rules = replace(
            rules,
            answers=answers,
            employer=str(employer) if employer else None,
            counts=form.counts.data or None,
            source=form.source.data or None,
        )
    # A column that goes elsewhere now, or a scale that is turned, is matched anew.
    kept = {
        place: words
        for place, words in rules.meanings.items()
        if place < len(targets)
        and place < len(before.targets)
        and targets[place] is before.targets[place]
        and not (targets[place] is Target.STANDING and strongest != before.strongest)
    }
    return replace(rules, meanings=kept)


# Where the values of a column are names of places: what is like them is offered first.
NAMED_PLACES: Final = frozenset({Target.WORKPLACE, Target.EMPLOYER, Target.SUPPLIES})


def like_options(
    session: Any,
    scope: Scope,
    target: Target,
    asked: Mapping[str, str],
    known: Mapping[str, str],
    offered: Sequence[tuple[str, Any]],
) -> dict[str, tuple[list[tuple[str, Any]], str]]:
    """Return for values that name places what they may stand for, the most alike first, and why.

    asked: folded values, as the list writes them. known: what was chosen for values. offered: what
    any value may stand for. Nothing for columns that name no places.
    """
    if target not in NAMED_PLACES:
        return {}
    values = {value for value, _words in offered}
    chosen = (known[value] for value in asked if known.get(value))
    far = [one for one in chosen if one not in values and not one.startswith(NEW_EMPLOYER)]
    more = [(one.value, one.label) for one in queries.chosen_names(session, scope, target, far)]
    open_still = {value: word for value, word in asked.items() if value not in known}
    found = queries.like_choices(session, scope, target, list(open_still.values()))
    answers: dict[str, tuple[list[tuple[str, Any]], str]] = {
        value: ([*more, *offered], "") for value in asked if value in known and more
    }
    for value, alike in zip(open_still, found, strict=True):
        first = [(one.value, _perhaps(one)) for one in alike]
        ids = {one.value for one in alike}
        rest = [one for one in offered if one[0] not in ids]
        hint = ""
        if alike:
            names = "; ".join(words for _value, words in first[:3])
            hint = gettext("Is it one of these? %(names)s", names=names)
        answers[value] = ([*first, *rest], hint)
    return answers


# What is said of a name of a list that no workplace has.
_NO_PLACE: Final = frozenset({ballots.NO_SUCH_PLACE, successions.NO_SUCH_PLACE})


def names_to_settle(
    session: Any,
    scope: Scope,
    kind: ImportKind,
    rules: Rules,
    problems: Sequence[queries.RowView],
    cell_of: Callable[[int, int], str],
) -> dict[str, tuple[str, list[tuple[str, Any]]]]:
    """Return the names of rows that no workplace has, and what each may mean.

    By the folded name: the name of its field, by the first row that has it, and the choices.
    cell_of: gives what stands in a row and a column. Names that are like none are not in it.
    """
    first: dict[str, tuple[str, str]] = {}
    for row in problems:
        for column, message, _number in row.faults:
            if message in _NO_PLACE and column is not None:
                name = cell_of(row.row_no, column)
                first.setdefault(place_key(name), (f"n{row.row_no}-{column}", name))
    names = [name for _field, name in first.values()]
    holder = rules.answers.get(ballots.HOLDER) if kind is ImportKind.BALLOTS else None
    found = queries.like_places(session, scope, kind, names, holder=holder)
    none = ("ask", _("None of these, or not sure"))
    return {
        key: (field, [*((one.value, _perhaps(one)) for one in alike), none])
        for (key, (field, _name)), alike in zip(first.items(), found, strict=True)
        if alike
    }


def _perhaps(one: queries.LikeChoice) -> str:
    """Return a place with what tells it from others, and why it is thought of."""
    name = f"{one.name}, {one.more}" if one.more else one.name
    return f"{name} ({', '.join(label(reason) for reason in one.why)})"


def areas_may_be_added(session: Any, scope: Scope, rules: Rules) -> bool:
    """Return True when the list names a workplace that the scope may add an area to."""
    return queries.may_change_one(session, scope, service.workplaces_of(rules))


def offered_meanings(
    session: Any, scope: Scope, rules: Rules
) -> Mapping[Target, Sequence[tuple[str, Any]]]:
    """Return what the values of a column may stand for, by where the column goes."""
    sites = service.workplaces_of(rules)
    areas, shifts = queries.parts_of(session, scope, sites)
    may_add = bool(areas_may_be_added(session, scope, rules))
    new_area = [(NEW_AREA, _("A new area with this name"))] if may_add else []
    may_make = scope.nodes(Permission.EMPLOYER_WRITE) is None
    new_employer = [(NEW_EMPLOYER, _("A new employer with this name"))] if may_make else []
    return {
        Target.WORKPLACE: [
            (one.value, one.label) for one in queries.workplaces_to_choose(session, scope)
        ],
        Target.EMPLOYER: [
            *new_employer,
            *((one.value, one.label) for one in queries.employers_to_choose(session, scope)),
        ],
        Target.SUPPLIES: [
            (one.value, one.label) for one in queries.buyers_to_choose(session, scope)
        ],
        Target.UNION: [(one.value, one.label) for one in queries.unions_to_choose(session, scope)],
        Target.AREA: [*new_area, *areas.items()],
        Target.SHIFT: list(shifts.items()),
        Target.CONTRACT: [(one.value, LABELS[one]) for one in ContractType],
        Target.MEMBER: [
            ("member", _("Member of the union")),
            ("not_member", _("Not a member of this union")),
            ("in_none", _("In no union at all")),
        ],
        Target.HOW: [(one.value, LABELS[one]) for one in Became],
        Target.QUESTION: [(one.value, LABELS[one]) for one in QuestionKind],
        Target.LAW: [(code, book_name) for code, book_name, *_more in law_choices()],
        Target.STANDING: [(str(step), f"{step} {word}") for step, word in RATINGS.items()],
    }
