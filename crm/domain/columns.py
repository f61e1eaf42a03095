"""The columns of a list that somebody brings: where each may go, and where it most likely goes.

What is guessed is only where a form begins; the person who brings the list decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from crm.domain.identity import fold, phone_key
from crm.domain.vocabulary import ImportKind


class Target(StrEnum):
    """Where the cells of a column go."""

    # Looked up some twenty times for each row of a list: an enum's own hash is a call of Python.
    __hash__ = str.__hash__

    LEAVE_OUT = "leave_out"
    # People
    FULL_NAME = "full_name"
    LAST_NAME_FIRST = "last_name_first"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    KNOWN_AS = "known_as"
    PRONOUNS = "pronouns"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    WORKPLACE = "workplace"
    AREA = "area"
    SHIFT = "shift"
    JOB_TITLE = "job_title"
    CONTRACT = "contract"
    STARTED_ON = "started_on"
    LEFT_ON = "left_on"
    MEMBER = "member"
    UNION = "union"
    JOINED_ON = "joined_on"
    STANDING = "standing"
    STANDING_ON = "standing_on"
    NUMBER = "number"
    TAGS = "tags"
    OWN_FIELD = "own_field"
    # Places
    PLACE_NAME = "place_name"
    EMPLOYER = "employer"
    PLACE_ADDRESS = "place_address"
    POSTCODE = "postcode"
    COUNTRY = "country"
    AREA_NAME = "area_name"
    HEADCOUNT = "headcount"
    MEMBERS = "members"
    SUPPLIES = "supplies"
    OTHER_PLACE = "other_place"
    HOW = "how"
    HAPPENED_ON = "happened_on"
    # Ballots
    BALLOT_NAME = "ballot_name"
    QUESTION = "question"
    ENTITLED = "entitled"
    CAST = "cast"
    VALID = "valid"
    YES = "yes"
    NO = "no"
    SPOILED = "spoiled"
    LAW = "law"
    OPENS_ON = "opens_on"
    CLOSES_ON = "closes_on"


_OF_PLACES: Final = (
    Target.PLACE_NAME,
    Target.EMPLOYER,
    Target.PLACE_ADDRESS,
    Target.POSTCODE,
    Target.COUNTRY,
    Target.AREA_NAME,
    Target.HEADCOUNT,
    Target.MEMBERS,
)
_OF_BALLOTS: Final = (
    Target.BALLOT_NAME,
    Target.QUESTION,
    Target.ENTITLED,
    Target.CAST,
    Target.VALID,
    Target.YES,
    Target.NO,
    Target.SPOILED,
    Target.LAW,
    Target.OPENS_ON,
    Target.CLOSES_ON,
)
_OF_SUCCESSIONS: Final = (Target.OTHER_PLACE, Target.HOW, Target.HAPPENED_ON)
TARGETS: Final[Mapping[ImportKind, tuple[Target, ...]]] = {
    ImportKind.PEOPLE: tuple(
        one
        for one in Target
        if one not in (*_OF_PLACES, *_OF_BALLOTS, *_OF_SUCCESSIONS, Target.SUPPLIES)
    ),
    ImportKind.PLACES: (Target.LEAVE_OUT, *_OF_PLACES),
    ImportKind.SUPPLIERS: (Target.LEAVE_OUT, *_OF_PLACES, Target.SUPPLIES),
    ImportKind.SUCCESSIONS: (Target.LEAVE_OUT, Target.PLACE_NAME, *_OF_SUCCESSIONS),
    ImportKind.BALLOTS: (Target.LEAVE_OUT, Target.PLACE_NAME, *_OF_BALLOTS, Target.UNION),
}
# Several columns may hold one of these each; of the others there is one.
# Blank and spoiled papers are added up; of several days the first that is filled counts.
REPEATED: Final = frozenset(
    {
        Target.LEAVE_OUT,
        Target.PHONE,
        Target.EMAIL,
        Target.SPOILED,
        Target.OPENS_ON,
        Target.CLOSES_ON,
        Target.TAGS,
        Target.OWN_FIELD,
    }
)
# Their values are chosen from a list, so each value is matched once for the whole column.
VALUED: Final = frozenset(
    {
        Target.WORKPLACE,
        Target.AREA,
        Target.SHIFT,
        Target.CONTRACT,
        Target.MEMBER,
        Target.UNION,
        Target.STANDING,
        Target.EMPLOYER,
        Target.SUPPLIES,
        Target.HOW,
        Target.QUESTION,
        Target.LAW,
    }
)
# Their cells are dates.
DAYS: Final = (
    *(Target.STARTED_ON, Target.LEFT_ON, Target.JOINED_ON, Target.STANDING_ON),
    *(Target.HAPPENED_ON, Target.OPENS_ON, Target.CLOSES_ON),
)
NAMES: Final = (Target.FULL_NAME, Target.LAST_NAME_FIRST, Target.FIRST_NAME, Target.KNOWN_AS)

# Folded headings as lists and other programs' exports have them: Google, Outlook, Mailchimp,
# Action Network, membership systems of unions, rotas.
_HEADINGS: Final[Mapping[Target, tuple[str, ...]]] = {
    Target.FULL_NAME: (
        *("name", "full name", "fullname", "member name", "employee name", "worker", "person"),
        *("display name", "staff name", "contact name", "worker name", "employee"),
    ),
    Target.LAST_NAME_FIRST: (
        *("surname name", "surname first name", "last name first name", "surname forename"),
        *("name surname first", "surname and name", "surname forenames"),
    ),
    Target.FIRST_NAME: (
        *("first name", "firstname", "forename", "forenames", "given name", "given names"),
        *("first", "fname", "first names"),
    ),
    Target.LAST_NAME: (
        *("last name", "lastname", "surname", "family name", "last", "lname", "second name"),
    ),
    Target.KNOWN_AS: ("known as", "nickname", "preferred name", "goes by", "short name"),
    Target.PRONOUNS: ("pronouns", "pronoun"),
    Target.PHONE: (
        *("phone", "phone number", "mobile", "mobile phone", "mobile number", "telephone", "tel"),
        *("cell", "cell phone", "home phone", "phone 1", "phone 2", "phone 3", "contact number"),
        *("phone 1 value", "phone 2 value", "phone 3 value", "home phone 2", "primary phone"),
        *("can2 phone", "other phone", "telephone number", "mobile no", "phone no", "tel no"),
    ),
    Target.EMAIL: (
        *("email", "e mail", "mail", "email address", "e mail address", "home email"),
        *("personal email", "e mail 1 value", "e mail 2 value", "e mail 3 value", "email 2"),
        *("e mail 2 address", "e mail 3 address", "email 3", "email 1"),
    ),
    Target.ADDRESS: (
        *("address", "home address", "postal address", "address 1 formatted", "can2 user address"),
        *("home street", "full address", "address line 1"),
    ),
    Target.WORKPLACE: (
        *("workplace", "site", "work place", "place of work", "work location", "location", "depot"),
        *("works at", "workplace name", "premises", "office location", "store"),
    ),
    Target.AREA: (
        *("area", "department", "dept", "section", "team", "unit", "ward", "line", "cost centre"),
        *("organization 1 department", "dep", "division"),
    ),
    Target.SHIFT: ("shift", "shift pattern", "rota", "shift name"),
    Target.JOB_TITLE: (
        *("job title", "job", "role", "position", "title of job", "grade", "post", "post title"),
        *("occupation", "organization 1 title"),
    ),
    Target.CONTRACT: ("contract", "contract type", "type of contract", "employment type"),
    Target.STARTED_ON: (
        *(
            "start date",
            "start",
            "started",
            "commenced",
            "service start",
            "started on",
            "date started",
            "employment start",
            "hire date",
        ),
        *("works there since", "job start"),
    ),
    Target.LEFT_ON: ("end date", "left", "left on", "leaving date", "date left"),
    Target.MEMBER: (
        *("member", "union member", "is member", "member y n", "membership", "member status"),
        *("membership status", "in the union", "in union", "member of the union", "union status"),
    ),
    Target.UNION: ("union", "union name", "which union", "labor organization 1 name"),
    Target.JOINED_ON: (
        *("joined", "join date", "date joined", "member since", "joined on", "membership start"),
    ),
    Target.STANDING: (
        *("standing", "rating", "assessment", "support", "support level", "score", "level"),
        *("1 5", "where they stand", "support score", "stand", "stands", "where stands"),
    ),
    Target.STANDING_ON: ("standing asked on",),
    # As a file that was taken out of here has it.
    Target.NUMBER: ("shopfloor number",),
    Target.TAGS: ("tags", "tag"),
    Target.PLACE_NAME: (
        *("workplace", "name", "site", "site name", "workplace name", "facility name", "facility"),
        *("university", "organisation name", "employer name", "school", "branch"),
        *("establishment", "establishment name", "store", "hospital", "depot", "place"),
        *("case name", "college", "institution", "factory", "factory name", "supplier"),
        *("supplier name", "facility", "unit name", "old name", "old site", "old workplace"),
    ),
    Target.EMPLOYER: ("employer", "company", "organisation", "parent", "owner", "trust", "group"),
    Target.PLACE_ADDRESS: (
        "address",
        "site address",
        "street",
        "address 1",
        "address line 1",
        "location",
    ),
    Target.POSTCODE: ("postcode", "post code", "zip", "zip code", "postal code"),
    Target.COUNTRY: ("country", "country code"),
    Target.AREA_NAME: ("area", "department", "dept", "section", "ward"),
    Target.HEADCOUNT: (
        *("headcount", "workers", "employees", "number of workers", "workforce", "head count"),
        *("employed", "number of employees", "people", "fte", "employer size", "worker count"),
    ),
    Target.MEMBERS: (
        *("members", "number of members", "membership", "member count", "mailedout", "mailed out"),
        *("entitled", "entitled to vote", "union members"),
    ),
    Target.SUPPLIES: ("buyer", "brand", "supplies", "customer", "contributor", "list of"),
    Target.OTHER_PLACE: (
        "link name",
        "became",
        "new name",
        "successor",
        "other workplace",
        "into",
        "new site",
        "new workplace",
        "merged into",
        "replaced by",
    ),
    Target.HOW: ("link type", "how", "what happened"),
    Target.HAPPENED_ON: ("link established date", "date", "day", "on", "closed", "close date"),
    Target.BALLOT_NAME: ("ballot", "ballot name", "case number", "dispute", "vote"),
    Target.QUESTION: ("question", "asked", "kind of question"),
    Target.ENTITLED: (
        *("entitled", "entitled to vote", "mailedout", "mailed out", "eligible voters", "eligible"),
        *("number entitled", "num eligible voters", "papers sent", "ballot papers sent", "sent"),
        *("individuals entitled to vote", "electorate"),
    ),
    Target.CAST: (
        *("cast", "turnout", "papers returned", "papers back", "returned", "votes cast"),
        *("ballot papers returned", "papers that came back", "total votes", "votes"),
    ),
    Target.VALID: ("valid", "valid votes", "num valid votes counted", "valid papers"),
    Target.YES: ("yes", "for", "in favour", "yes votes", "votes for", "votes for labor org 1"),
    Target.NO: ("no", "against", "no votes", "votes against", "votes cast against labor org"),
    Target.SPOILED: (
        *("spoiled", "spoilt", "blank", "invalid", "void", "rejected", "num void ballots"),
        *("spoilt papers", "spoiled papers", "invalid papers", "spoiled or blank"),
    ),
    Target.LAW: ("law", "jurisdiction", "require 50"),
    Target.OPENS_ON: (
        *("opens", "opened", "opens on", "opened on", "opening date", "opening day", "open date"),
        *("ballot mail date", "schedule election date"),
    ),
    Target.CLOSES_ON: (
        *("closes", "closed", "closes on", "closed on", "closing date", "closing day"),
        *("close date", "tally date", "last day of voting"),
    ),
}

_YES_OR_NO: Final = frozenset(("y", "n", "yes", "no", "true", "false", "1", "0", "x", "member"))
# In a list of one union's branches this is the workplace; beside a workplace it is the branch.
_WEAK: Final = "branch"

# What no list of an organising group needs: the law guards it, or it opens bank accounts.
_SENSITIVE: Final = re.compile(
    r"\b(?:n\s?i(?:\s?(?:no|number|n))?|nino|national insurance|ssn|sin|pesel|social security"
    r"|social insurance|passport|visa|brp|immigration|right to work|health|sick\w*|disab\w*"
    r"|medical|illness|pregnan\w*|ethnic\w*|race|religio\w*|faith|belief|sexual\w*|orientation"
    r"|gender identity|criminal|dbs|bank|sort code|account (?:no|number)|iban|salary|pay rate"
    r"|date of birth|dob|birth\w*|age|politic\w*|nationality)\b"
)
# A national insurance number: two letters, six digits, a letter A to D (HMRC, NIM39110).
_NATIONAL_INSURANCE: Final = re.compile(
    r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\s?(?:\d\s?){6}[A-D]", re.IGNORECASE
)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE: Final = re.compile(r"[+(]?[\d\s()./-]{7,20}")


def is_sensitive(heading: str, values: Sequence[str]) -> bool:
    """Return True for a column of which nothing is needed here and much could be harmed.

    By its heading, or by values of which half look like national insurance numbers.
    """
    if _SENSITIVE.search(fold(heading)):
        return True
    return _share(values, _NATIONAL_INSURANCE) >= 0.5


def guess_targets(
    kind: ImportKind, headings: Sequence[str], columns: Sequence[Sequence[str]]
) -> list[Target]:
    """Return where each column most likely goes.

    headings: as they stand in the file; "" for none. columns: some values of each. A sensitive
    column, an empty one and one that nothing is known about are left out; no target that can be
    given once is given twice.
    """
    wanted = TARGETS[kind]
    by_heading = {
        heading: target for target in reversed(wanted) for heading in _HEADINGS.get(target, ())
    }
    named_better = any(
        by_heading.get(_bare(one)) is Target.PLACE_NAME and _bare(one) != _WEAK for one in headings
    )
    found: list[Target] = []
    for heading, values in zip(headings, columns, strict=True):
        target = Target.LEAVE_OUT
        filled = [value for value in values if value]
        if filled and not is_sensitive(heading, filled):
            target = by_heading.get(_bare(heading), Target.LEAVE_OUT)
            if target is Target.LEAVE_OUT and "(" in heading:
                # What stands in brackets explains: "Stands (1 = with us most)". Of a name it may
                # turn the parts round: "Name (last, first)".
                target = by_heading.get(_bare(_BRACKETS.sub(" ", heading)), Target.LEAVE_OUT)
                target = Target.LEAVE_OUT if target is Target.FULL_NAME else target
            if _bare(heading) == _WEAK and named_better:
                target = Target.LEAVE_OUT
            if target is Target.UNION and _share_of_yes(filled) >= 0.8:
                target = Target.MEMBER
            if target is Target.LEAVE_OUT and kind is ImportKind.PEOPLE:
                target = _by_values(heading, filled)
        if target in found and target not in REPEATED:
            target = Target.LEAVE_OUT
        found.append(target)
    return _without_the_weaker(found)


_BRACKETS: Final = re.compile(r"\([^)]*\)")


def _bare(heading: str) -> str:
    apart = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", heading.replace("_", " "))
    return re.sub(r"\b(?:the|of their|their)\b ?", "", fold(apart)).strip()


def _by_values(heading: str, values: Sequence[str]) -> Target:
    if _share(values, _EMAIL) >= 0.8:
        return Target.EMAIL
    words = set(fold(heading).split())
    phones = sum(1 for value in values if _looks_like_phone(value))
    if phones >= 0.8 * len(values) and not words & {"id", "no", "number", "ref", "code", "fax"}:
        return Target.PHONE
    return Target.LEAVE_OUT


def _share_of_yes(values: Sequence[str]) -> float:
    """ "Union?" with yes and no asks who is a member; with names it says of which union."""
    return sum(fold(value) in _YES_OR_NO or value in {"✓", "?"} for value in values) / len(values)


def _looks_like_phone(value: str) -> bool:
    key = phone_key(value) if _PHONE.fullmatch(value) else None
    return key is not None and 10 <= len(key) <= 15


def _share(values: Sequence[str], pattern: re.Pattern[str]) -> float:
    filled = [value for value in values if value]
    return sum(1 for value in filled if pattern.fullmatch(value)) / len(filled) if filled else 0.0


def _without_the_weaker(found: list[Target]) -> list[Target]:
    """A list with a full name and its parts gives the name once: the parts say more."""
    if Target.FIRST_NAME in found and Target.LAST_NAME in found:
        whole = {Target.FULL_NAME, Target.LAST_NAME_FIRST}
        return [Target.LEAVE_OUT if target in whole else target for target in found]
    if Target.LAST_NAME in found and Target.FULL_NAME in found:
        # "Name" beside "Surname" is the first name.
        return [Target.FIRST_NAME if one is Target.FULL_NAME else one for one in found]
    return found
