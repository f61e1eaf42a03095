"""The closed lists of words that records are made of. Labels for people: crm/web/labels.py."""

from __future__ import annotations

import enum


class PlaceKind(enum.StrEnum):
    """What sort of node a place is."""

    EVERYTHING = "everything"
    REGION = "region"
    UNION = "union"
    BRANCH = "branch"
    EMPLOYER = "employer"
    WORKPLACE = "workplace"
    AREA = "area"


class Sector(enum.StrEnum):
    """Who owns the employer, as the register or the organiser says."""

    PRIVATE = "private"
    PUBLIC = "public"
    CHARITY = "charity"
    OTHER = "other"


class AreaKind(enum.StrEnum):
    """What an area inside a workplace is."""

    DEPARTMENT = "department"
    SITE_PART = "site_part"


class HowKnown(enum.StrEnum):
    """How the group came to know of a person; asked so that a list's origin is on record."""

    MET = "met"
    TOLD_BY_COLLEAGUE = "told_by_colleague"
    CAME_TO_US = "came_to_us"
    UNION_LIST = "union_list"
    OTHER = "other"


class PointKind(enum.StrEnum):
    """A way to reach a person."""

    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"


class ChangeState(enum.StrEnum):
    """What became of one person's part in an act: it holds, was taken back, or was left alone."""

    DONE = "done"
    UNDONE = "undone"
    KEPT = "kept"


class PointState(enum.StrEnum):
    """Whether a phone, mail or address reaches the person; not known is null."""

    WORKS = "works"
    BAD = "bad"


class FieldGroup(enum.StrEnum):
    """The groups of facts that a legal basis or a consent is recorded for."""

    IDENTITY = "identity"
    CONTACT_DETAILS = "contact_details"
    MEMBERSHIP = "membership"
    VIEWS = "views"


class LegalBasis(enum.StrEnum):
    """The ground for holding a group of facts (UK GDPR Art. 6 and Art. 9)."""

    REGULAR_CONTACT = "regular_contact"
    CONSENT = "consent"
    LEGITIMATE_INTEREST = "legitimate_interest"


class ContractType(enum.StrEnum):
    """The kind of work relationship; not known is null."""

    PERMANENT = "permanent"
    FIXED_TERM = "fixed_term"
    AGENCY = "agency"
    ZERO_HOURS = "zero_hours"
    SELF_EMPLOYED = "self_employed"
    OTHER = "other"


class MembershipSource(enum.StrEnum):
    """Who told us of a membership."""

    THEY_SAID = "they_said"
    UNION_LIST = "union_list"
    TOLD_BY_COLLEAGUE = "told_by_colleague"
    OTHER = "other"


class Channel(enum.StrEnum):
    """How a talk was held."""

    IN_PERSON = "in_person"
    PHONE_CALL = "phone_call"
    MESSAGE = "message"
    MEETING = "meeting"


class LengthBand(enum.StrEnum):
    """How long a talk lasted, in bands a person can answer without a clock."""

    UNDER_5_MINUTES = "under_5"
    FROM_5_TO_15_MINUTES = "5_to_15"
    OVER_15_MINUTES = "over_15"


class Answer(enum.StrEnum):
    """What the person said to the ask."""

    YES = "yes"
    NO = "no"
    NOT_YET = "not_yet"


class GroupKind(enum.StrEnum):
    """What holds a group of people together at work."""

    CAR_SHARE = "car_share"
    LANGUAGE = "language"
    PRAYER = "prayer"
    FOOTBALL = "football"
    OTHER = "other"


# Which language people speak and where they pray tells of origin and belief (UK GDPR Art. 9).
NEED_TO_KNOW = frozenset({GroupKind.LANGUAGE, GroupKind.PRAYER})


class CaseKind(enum.StrEnum):
    """Whether a case is one worker's or that of many."""

    INDIVIDUAL = "individual"
    COLLECTIVE = "collective"


class CaseMatter(enum.StrEnum):
    """What a case is about."""

    GRIEVANCE = "grievance"
    DISCIPLINARY = "disciplinary"
    PAY = "pay"
    HOURS = "hours"
    CONTRACT = "contract"
    SAFETY = "safety"
    BULLYING = "bullying"
    DISCRIMINATION = "discrimination"
    ABSENCE = "absence"
    REDUNDANCY = "redundancy"
    OTHER = "other"


class CaseRole(enum.StrEnum):
    """The part that a contact has in a case."""

    WHOSE_CASE = "whose_case"
    AFFECTED = "affected"
    WITNESS = "witness"
    SPEAKS_FOR = "speaks_for"


class CaseStep(enum.StrEnum):
    """What happened in a case."""

    NOTE = "note"
    TALK = "talk"
    LETTER_SENT = "letter_sent"
    LETTER_RECEIVED = "letter_received"
    MEETING = "meeting"
    HEARING = "hearing"
    OFFER = "offer"
    DECISION = "decision"
    APPEAL = "appeal"


class CaseOutcome(enum.StrEnum):
    """How a case ended."""

    WON = "won"
    PARTLY_WON = "partly_won"
    SETTLED = "settled"
    LOST = "lost"
    WITHDRAWN = "withdrawn"
    PASSED_ON = "passed_on"


class BallotKind(enum.StrEnum):
    """What a ballot is in law. An indicative one has no effect in law."""

    ACTION = "action"
    REBALLOT = "reballot"
    RECOGNITION = "recognition"
    INDICATIVE = "indicative"


class QuestionKind(enum.StrEnum):
    """What a question of a ballot asks."""

    STRIKE = "strike"
    SHORT_OF_STRIKE = "short_of_strike"
    RECOGNITION = "recognition"
    OTHER = "other"


class NotEntitled(enum.StrEnum):
    """Why somebody who works at a place of a ballot has no vote in it."""

    NOT_A_MEMBER = "not_a_member"
    NOT_KNOWN_TO_BE_A_MEMBER = "not_known_to_be_a_member"
    OTHER_EMPLOYER = "other_employer"
    NOT_CALLED_OUT = "not_called_out"
    AGREED_TO_LEAVE_OUT = "agreed_to_leave_out"


class VoteWord(enum.StrEnum):
    """What somebody told a rep of whether they vote. Never how."""

    VOTED = "voted"
    WILL_VOTE = "will_vote"
    NOT_YET = "not_yet"
    RATHER_NOT_SAY = "rather_not_say"


class Verb(enum.StrEnum):
    """What was done."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    VIEW = "view"
    EXPORT = "export"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"


class NoticeKind(enum.StrEnum):
    """What somebody is told that was done to an account."""

    ROLE_GIVEN = "role_given"
    LINK_MADE = "link_made"


class FieldSubject(enum.StrEnum):
    """What a tag or a field of a branch is about."""

    CONTACT = "contact"
    WORKPLACE = "workplace"


class FieldKind(enum.StrEnum):
    """What the answers to a field of a branch are. No answer stored = not known."""

    CHOICE = "choice"
    YES_NO = "yes_no"
    NUMBER = "number"
    DAY = "day"
    TEXT = "text"


class BulkKind(enum.StrEnum):
    """What was done with many people of a list at once."""

    TAG = "tag"
    UNTAG = "untag"
    REMINDER = "reminder"


class TaskState(enum.StrEnum):
    """Where a task is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ImportKind(enum.StrEnum):
    """What the rows of a list are about."""

    PEOPLE = "people"
    PLACES = "places"
    BALLOTS = "ballots"
    SUPPLIERS = "suppliers"
    SUCCESSIONS = "successions"


class PlaceTieKind(enum.StrEnum):
    """What a workplace is to another place, besides lying in it."""

    SUPPLIES = "supplies"
    # The workplace ended, and this is what became of it.
    MERGED_INTO = "merged_into"
    SPLIT_INTO = "split_into"
    FOLLOWED_BY = "followed_by"


class ListOrigin(enum.StrEnum):
    """Where a list comes from, and so by what right it may be used (UK DPA 2018, s. 170).

    The last two are refused: to take such a list without leave can be an offence.
    """

    OUR_OWN = "our_own"
    GIVEN_BY_THEM = "given_by_them"
    UNION_AGREED = "union_agreed"
    PUBLISHED = "published"
    EMPLOYER_SYSTEM = "employer_system"
    UNION_WITHOUT_LEAVE = "union_without_leave"


class ImportState(enum.StrEnum):
    """How far the import of a list is."""

    MATCHING = "matching"
    CHECKED = "checked"
    IMPORTING = "importing"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class RowOutcome(enum.StrEnum):
    """What a row of a list would do, or did."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    POSSIBLE = "possible"
    PROBLEM = "problem"
    LEFT_OUT = "left_out"


class RowState(enum.StrEnum):
    """Whether a row of a list has been stored, and whether that was taken back.

    KEPT: it could not be taken back, because somebody has changed the record since.
    """

    WAITING = "waiting"
    STORED = "stored"
    PASSED_BY = "passed_by"
    UNDONE = "undone"
    KEPT = "kept"


# Steps of an organising conversation that can have been reached (method paper 1.2).
STEPS = (
    "open",
    "issues",
    "agitate",
    "attribution",
    "vision_plan",
    "ask",
    "inoculate",
    "commit",
    "follow_up",
)

# What matters to people, in the words used at work.
ISSUES = (
    "pay",
    "hours",
    "shifts",
    "targets",
    "safety",
    "heat",
    "bullying",
    "contracts",
    "staffing",
    "discrimination",
    "breaks",
    "other",
)

# Things commonly asked of a person at the end of a talk.
ASKS = (
    "join",
    "petition",
    "meeting",
    "talk_to_colleague",
    "vote",
    "strike",
    "wear_badge",
    "other",
)

# Said on purpose: no ask was made. A talk whose ask is null is one where nobody wrote it down.
NO_ASK = "nothing"

# Languages that a note may be written in (ISO 639), for the speech of screen readers: those most
# spoken at work in the UK. It is a choice for a page's `lang`, and says nothing about the person.
NOTE_LANGUAGES = (
    "en",
    "cy",
    "ga",
    "gd",
    "am",
    "ar",
    "bg",
    "bn",
    "cs",
    "de",
    "es",
    "fa",
    "fr",
    "gu",
    "hi",
    "hu",
    "it",
    "ku",
    "lt",
    "lv",
    "ne",
    "pa",
    "pl",
    "pt",
    "ro",
    "ru",
    "sk",
    "so",
    "sq",
    "ta",
    "ti",
    "tr",
    "uk",
    "ur",
    "vi",
    "yo",
    "zh",
)
