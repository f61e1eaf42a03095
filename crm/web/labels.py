"""The screen's words for every closed list of crm/domain/vocabulary.py and the scales."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from babel import Locale
from flask_babel import get_locale
from flask_babel import lazy_gettext as _

from crm.domain.assessment import Basis, Freshness
from crm.domain.ballot_days import Stage as BallotStage
from crm.domain.ballot_days import Step as BallotStep
from crm.domain.bases import Roster
from crm.domain.cover import FoundBy, Stage, TieBasis
from crm.domain.entitled import Missing
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.likeness import Band, Reason
from crm.domain.listed_successions import Became
from crm.domain.member_list import Part as ListPart
from crm.domain.member_list import Queue, Standing, Trouble
from crm.domain.people_columns import FileKind
from crm.domain.place_likeness import PlaceReason
from crm.domain.readiness import Band as ReadyBand
from crm.domain.readiness import Finding, GateName, Part
from crm.domain.roles import Role
from crm.domain.rules import Counted, KeyDate, Subject
from crm.domain.sheet import Names
from crm.domain.structure import Deed, Evidence, Rung, VotedHow, WhyNot
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import (
    NOTE_LANGUAGES,
    Answer,
    AreaKind,
    BallotKind,
    BulkKind,
    CaseKind,
    CaseMatter,
    CaseOutcome,
    CaseRole,
    CaseStep,
    ChangeState,
    Channel,
    ContractType,
    FieldGroup,
    FieldKind,
    FieldSubject,
    GroupKind,
    HowKnown,
    ImportKind,
    ImportState,
    LegalBasis,
    LengthBand,
    ListOrigin,
    MembershipSource,
    NotEntitled,
    PlaceKind,
    PlaceTieKind,
    PointKind,
    PointState,
    QuestionKind,
    RowOutcome,
    RowState,
    Sector,
    TaskState,
    VoteWord,
)

RATINGS: dict[int, Any] = {
    1: _("Leads"),
    2: _("With us"),
    3: _("Unsure"),
    4: _("Against"),
    5: _("Blocks"),
}
NOT_ASKED = _("Not asked")
NOT_KNOWN = _("Not known")


class _Words(Mapping[enum.Enum, Any]):
    """Words by member. Not a dict: there members of two lists with one value would be one key."""

    def __init__(self, pairs: Iterable[tuple[enum.Enum, Any]]) -> None:
        self._words = {(type(member), member.value): (member, word) for member, word in pairs}

    def __getitem__(self, member: enum.Enum) -> Any:
        """Return the word. Raises KeyError for a member that has none."""
        return self._words[type(member), member.value][1]

    def __iter__(self) -> Iterator[enum.Enum]:
        """Yield the members."""
        return (member for member, _word in self._words.values())

    def __len__(self) -> int:
        """Return how many members have a word."""
        return len(self._words)


LABELS: Mapping[enum.Enum, Any] = _Words(
    (
        (Names.SHORT, _("First name and initial")),
        (Names.INITIALS, _("Initials only")),
        (Names.NUMBERS, _("Numbers only: the names are on the key")),
        (FileKind.XLSX, _("A spreadsheet (XLSX)")),
        (FileKind.CSV, _("A table for other programs (CSV)")),
        (FileKind.VCARD, _("Cards for the address book of a phone (vCard)")),
        (BulkKind.TAG, _("Tag put on many people")),
        (BulkKind.UNTAG, _("Tag taken off many people")),
        (BulkKind.REMINDER, _("Reminders about many people")),
        (FieldSubject.CONTACT, _("People")),
        (FieldSubject.WORKPLACE, _("Workplaces")),
        (FieldKind.CHOICE, _("One from a list")),
        (FieldKind.YES_NO, _("Yes or no")),
        (FieldKind.NUMBER, _("A number")),
        (FieldKind.DAY, _("A date")),
        (FieldKind.TEXT, _("A few words")),
        (Queue.JOINED, _("Joined the union")),
        (Queue.LEFT, _("Left the union")),
        (Queue.LAPSED, _("Lapsed: stopped paying")),
        (Queue.MOVED, _("Moved to another branch or workplace")),
        (Queue.CHANGED, _("New phone, email or address")),
        (Queue.BAD_ADDRESS, _("The address is bad")),
        (Queue.NOT_SURE, _("Not sure who it is")),
        (Queue.NOT_HERE, _("On the list, not here")),
        (Queue.PROBLEM, _("Something is wrong with the line")),
        (Queue.SET_ASIDE, _("Set aside")),
        (Queue.SAME, _("As we have it")),
        (Missing.ADDRESS, _("no home address")),
        (Missing.CATEGORY, _("no job title")),
        (Missing.EMPLOYER, _("who pays the wages is not known")),
        (Missing.WORKPLACE, _("no job now")),
        (ListPart.LEAVE_OUT, _("Leave out")),
        (ListPart.NAME, _("Full name")),
        (ListPart.FIRST, _("First name")),
        (ListPart.LAST, _("Last name")),
        (ListPart.PHONE, _("Phone")),
        (ListPart.MAIL, _("Email")),
        (ListPart.ADDRESS, _("Postal address, or a part of it")),
        (ListPart.ADDRESS_STATE, _("Whether post comes back")),
        (ListPart.WORKPLACE, _("Workplace")),
        (ListPart.JOB_TITLE, _("Job title or grade")),
        (ListPart.BRANCH, _("Branch")),
        (ListPart.STANDING, _("Member, lapsed or left")),
        (ListPart.SINCE, _("Joined on")),
        (ListPart.UNTIL, _("Left on")),
        (Standing.MEMBER, _("Is a member")),
        (Standing.LAPSED, _("Has lapsed: stopped paying")),
        (Standing.LEFT, _("Has left")),
        (Trouble.NO_NAME, _("There is no name in this line.")),
        (Trouble.UNKNOWN_STATUS, _("We do not know what the word in the status column means.")),
        (Trouble.NOT_A_DAY, _("A date in this line cannot be read. Write it as 14/05/2026.")),
        (Trouble.TWICE, _("This line is on the list twice.")),
        (Band.SURE, _("Almost surely the same person")),
        (Band.MAYBE, _("Perhaps the same person")),
        (PlaceReason.SAME_NAME, _("Same name")),
        (PlaceReason.NEAR_NAME, _("Name is nearly the same")),
        (PlaceReason.PART_OF_NAME, _("Part of the name is the same")),
        (PlaceReason.SAME_ADDRESS, _("Same address")),
        (PlaceReason.SAME_POSTCODE, _("Same postcode")),
        (PlaceReason.CLOSE_BY, _("Less than 150 metres apart")),
        (PlaceReason.SAME_STREET, _("Same street")),
        (PlaceReason.OTHER_ADDRESS, _("Another address")),
        (Reason.SAME_NAME, _("Same name")),
        (Reason.SAME_WORDS, _("Part of the name is the same")),
        (Reason.NEAR_NAME, _("Name is spelled nearly the same")),
        (Reason.SHORT_NAME, _("One name is a short or other form of the other")),
        (Reason.INITIAL, _("Same first letter of a name")),
        (Reason.ONE_NAME, _("One has a name that the other does not have")),
        (Reason.OTHER_NAME, _("A name is different")),
        (Reason.SAME_PHONE, _("Same phone")),
        (Reason.SAME_MAIL, _("Same email")),
        (Reason.NEAR_MAIL, _("Email is nearly the same")),
        (Reason.SAME_ADDRESS, _("Same address")),
        (Reason.NEAR_ADDRESS, _("Address is nearly the same")),
        (Reason.SAME_DAY, _("Same date of birth")),
        (Reason.NEAR_DAY, _("Date of birth is nearly the same")),
        (Reason.OTHER_DAY, _("Date of birth is different")),
        (Reason.SAME_WORKPLACE, _("Same workplace")),
        (Reason.SAME_AREA, _("Same area")),
        (Reason.OTHER_PHONE, _("Phone is different")),
        (Reason.OTHER_MAIL, _("Email is different")),
        (Basis.ACTION, _("They did it")),
        (Basis.SAID, _("They said so")),
        (Basis.TOLD, _("Someone told us")),
        (Basis.INFERRED, _("A guess")),
        (Freshness.FRESH, _("Recent")),
        (Freshness.STALE, _("Getting old")),
        (Freshness.EXPIRED, _("Old")),
        (Counts.SITE_ALL, _("Everyone on site")),
        (Counts.EMPLOYER_DIRECT, _("Direct staff of the employer")),
        (Counts.BARGAINING_UNIT, _("The bargaining unit")),
        (Roster.BALLOT, _("Those entitled in the last ballot")),
        (Roster.LIST, _("People on a saved list")),
        (Counts.FTE, _("Full-time equivalents (hours, not people)")),
        (HeadcountSource.UNION_LIST, _("The union’s list")),
        (HeadcountSource.ANNUAL_REPORT, _("Annual report")),
        (HeadcountSource.GENDER_PAY_RETURN, _("Gender pay return")),
        (HeadcountSource.ORGANISER_COUNT, _("Counted by us")),
        (HeadcountSource.PUBLISHED_REGISTER, _("A published register")),
        (HeadcountSource.SURVEY, _("A survey")),
        (HeadcountSource.EMPLOYER_TOLD, _("The employer told us")),
        (HeadcountSource.OTHER, _("Something else")),
        (Part.SUPPORT, _("Firmly with us")),
        (Part.PARTICIPATION, _("Took part in the last test")),
        (Part.DENSITY, _("In the union")),
        (Part.LEADERS, _("Leaders who are sure and with us")),
        (Part.COVERAGE, _("Has a rep with 10 people at most")),
        (Part.CONTACT, _("Details for the ballot are right")),
        (Part.ASSESSED, _("Asked first hand, lately")),
        (Part.CAPACITY, _("Ready to last")),
        (GateName.LIST, _("The list is right")),
        (GateName.LAW, _("The ballot would pass")),
        (GateName.TESTS, _("Two tests, the last one strong")),
        (GateName.OWNERS, _("Every area has a rep")),
        (GateName.TIMELINE, _("There is time for every notice")),
        (GateName.DECISION, _("Members decided it")),
        (ReadyBand.BUILD, _("Build")),
        (ReadyBand.ORGANISE, _("Organise")),
        (ReadyBand.TEST_AGAIN, _("Test again")),
        (ReadyBand.READY, _("Ready, if every gate is open")),
        (Finding.LIST_CHECKED, _("We went through the whole list")),
        (Finding.TIMELINE, _("There is time for every notice")),
        (Finding.DECISION, _("Members decided demands and action, with a quorum")),
        (Finding.FUND, _("There is a strike fund")),
        (Finding.PICKETS, _("There is a picket rota")),
        (Finding.HARDSHIP, _("There is a plan for hardship")),
        (Role.REP, _("Rep")),
        (Role.ORGANISER, _("Organiser")),
        (Role.BRANCH_OFFICER, _("Branch officer")),
        (Role.ADMINISTRATOR, _("Administrator")),
        (MembershipStatus.MEMBER, _("Member")),
        (MembershipStatus.NOT_MEMBER, _("Not a member")),
        (PlaceKind.EVERYTHING, _("Everything")),
        (PlaceKind.REGION, _("Region")),
        (PlaceKind.UNION, _("Union")),
        (PlaceKind.BRANCH, _("Branch")),
        (PlaceKind.EMPLOYER, _("Employer")),
        (PlaceKind.WORKPLACE, _("Workplace")),
        (PlaceKind.AREA, _("Area")),
        (Sector.PRIVATE, _("Private")),
        (Sector.PUBLIC, _("Public")),
        (Sector.CHARITY, _("Charity")),
        (Sector.OTHER, _("Another kind")),
        (AreaKind.DEPARTMENT, _("Department")),
        (AreaKind.SITE_PART, _("Part of the site")),
        (HowKnown.MET, _("One of us met them")),
        (HowKnown.TOLD_BY_COLLEAGUE, _("A colleague told us")),
        (HowKnown.CAME_TO_US, _("They came to us")),
        (HowKnown.UNION_LIST, _("From the union, with its permission")),
        (HowKnown.OTHER, _("Another way")),
        (ImportKind.PEOPLE, _("People and their jobs")),
        (ImportKind.PLACES, _("Workplaces and counts")),
        (ImportKind.BALLOTS, _("Ballots and their results")),
        (ImportKind.SUPPLIERS, _("Workplaces that supply an employer")),
        (ImportKind.SUCCESSIONS, _("Workplaces that were merged, split or followed by another")),
        (PlaceTieKind.SUPPLIES, _("Supplies")),
        (PlaceTieKind.MERGED_INTO, _("Merged into")),
        (PlaceTieKind.SPLIT_INTO, _("Split into")),
        (PlaceTieKind.FOLLOWED_BY, _("Followed by")),
        (Became.MERGED_INTO, _("The first one was merged into the other")),
        (Became.SPLIT_INTO, _("The first one was split, and the other came of it")),
        (Became.FOLLOWED_BY, _("The other one followed the first")),
        (Became.MERGED_FROM, _("The other one was merged into the first")),
        (Became.SPLIT_FROM, _("The other one was split, and the first came of it")),
        (Became.FOLLOWS, _("The first one followed the other")),
        (ImportState.MATCHING, _("Not finished")),
        (ImportState.CHECKED, _("Checked, not imported yet")),
        (ImportState.IMPORTING, _("Being imported")),
        (ImportState.STOPPING, _("Stopping")),
        (ImportState.STOPPED, _("Stopped half way")),
        (ImportState.DONE, _("Imported")),
        (ImportState.UNDOING, _("Being undone")),
        (ImportState.UNDONE, _("Undone")),
        (ListOrigin.OUR_OWN, _("We wrote it ourselves")),
        (ListOrigin.GIVEN_BY_THEM, _("The people on it gave us their details for this")),
        (ListOrigin.UNION_AGREED, _("From our union, with its permission")),
        (ListOrigin.PUBLISHED, _("From a published list")),
        (ListOrigin.EMPLOYER_SYSTEM, _("From my employer’s HR system")),
        (ListOrigin.UNION_WITHOUT_LEAVE, _("From my union’s database, without permission")),
        (RowOutcome.NEW, _("New")),
        (RowOutcome.CHANGED, _("Changed")),
        (RowOutcome.UNCHANGED, _("As before")),
        (RowOutcome.POSSIBLE, _("Could be the same person")),
        (RowOutcome.PROBLEM, _("Has a problem")),
        (RowOutcome.LEFT_OUT, _("Left out")),
        (RowState.WAITING, _("Waiting")),
        (RowState.STORED, _("Stored")),
        (RowState.PASSED_BY, _("Nothing to store")),
        (RowState.UNDONE, _("Undone")),
        (RowState.KEPT, _("Changed since, so left as it is")),
        (ChangeState.DONE, _("Stored")),
        (ChangeState.UNDONE, _("Undone")),
        (ChangeState.KEPT, _("Changed since, so left as it is")),
        (PointKind.PHONE, _("Phone")),
        (PointKind.EMAIL, _("Email")),
        (PointKind.ADDRESS, _("Address")),
        (PointState.WORKS, _("Works")),
        (PointState.BAD, _("Does not work")),
        (FieldGroup.IDENTITY, _("Name")),
        (FieldGroup.CONTACT_DETAILS, _("Phone, email, address")),
        (FieldGroup.MEMBERSHIP, _("Union membership")),
        (FieldGroup.VIEWS, _("Where they stand")),
        (LegalBasis.REGULAR_CONTACT, _("Member, or in regular contact with us")),
        (LegalBasis.CONSENT, _("They agreed")),
        (LegalBasis.LEGITIMATE_INTEREST, _("Our fair interest, written down")),
        (ContractType.PERMANENT, _("Permanent")),
        (ContractType.FIXED_TERM, _("Fixed term")),
        (ContractType.AGENCY, _("Agency")),
        (ContractType.ZERO_HOURS, _("Zero hours")),
        (ContractType.SELF_EMPLOYED, _("Self-employed")),
        (ContractType.OTHER, _("Another kind")),
        (MembershipSource.THEY_SAID, _("They told us")),
        (MembershipSource.UNION_LIST, _("The union’s list")),
        (MembershipSource.TOLD_BY_COLLEAGUE, _("A colleague told us")),
        (MembershipSource.OTHER, _("Another way")),
        (Channel.IN_PERSON, _("Face to face")),
        (Channel.PHONE_CALL, _("Phone call")),
        (Channel.MESSAGE, _("Message")),
        (Channel.MEETING, _("At a meeting")),
        (LengthBand.UNDER_5_MINUTES, _("Under 5 minutes")),
        (LengthBand.FROM_5_TO_15_MINUTES, _("5 to 15 minutes")),
        (LengthBand.OVER_15_MINUTES, _("Over 15 minutes")),
        (Answer.YES, _("Yes")),
        (Answer.NO, _("No")),
        (Answer.NOT_YET, _("Not yet")),
        (Stage.IDENTIFIED, _("Leader, not tested yet")),
        (Stage.CONFIRMED, _("Leader, confirmed")),
        (TieBasis.SELF, _("They said so themselves")),
        (TieBasis.COLLEAGUE, _("A colleague told us")),
        (TieBasis.SEEN, _("One of us saw it")),
        (FoundBy.NAMED, _("People named them when asked whom they go to")),
        (FoundBy.SEEN, _("One of us saw people follow them")),
        (FoundBy.TOLD, _("A colleague told us")),
        (GroupKind.CAR_SHARE, _("Car share or bus")),
        (GroupKind.LANGUAGE, _("Language")),
        (GroupKind.PRAYER, _("Prayer room")),
        (GroupKind.FOOTBALL, _("Football or other sport")),
        (GroupKind.OTHER, _("Something else")),
        (CaseKind.INDIVIDUAL, _("One person’s case")),
        (CaseKind.COLLECTIVE, _("A collective case")),
        (CaseMatter.GRIEVANCE, _("Grievance")),
        (CaseMatter.DISCIPLINARY, _("Disciplinary")),
        (CaseMatter.PAY, _("Pay")),
        (CaseMatter.HOURS, _("Hours or shifts")),
        (CaseMatter.CONTRACT, _("Contract")),
        (CaseMatter.SAFETY, _("Health and safety")),
        (CaseMatter.BULLYING, _("Bullying")),
        (CaseMatter.DISCRIMINATION, _("Discrimination")),
        (CaseMatter.ABSENCE, _("Sickness or absence")),
        (CaseMatter.REDUNDANCY, _("Redundancy")),
        (CaseMatter.OTHER, _("Something else")),
        (CaseRole.WHOSE_CASE, _("It is their case")),
        (CaseRole.AFFECTED, _("It affects them")),
        (CaseRole.WITNESS, _("Witness")),
        (CaseRole.SPEAKS_FOR, _("Speaks for the others")),
        (CaseStep.NOTE, _("Note")),
        (CaseStep.TALK, _("Talk")),
        (CaseStep.LETTER_SENT, _("Letter or email sent")),
        (CaseStep.LETTER_RECEIVED, _("Letter or email received")),
        (CaseStep.MEETING, _("Meeting")),
        (CaseStep.HEARING, _("Hearing")),
        (CaseStep.OFFER, _("Offer from the employer")),
        (CaseStep.DECISION, _("Decision by the employer")),
        (CaseStep.APPEAL, _("Appeal")),
        (CaseOutcome.WON, _("Won")),
        (CaseOutcome.PARTLY_WON, _("Won in part")),
        (CaseOutcome.SETTLED, _("Settled")),
        (CaseOutcome.LOST, _("Lost")),
        (CaseOutcome.WITHDRAWN, _("Taken back")),
        (CaseOutcome.PASSED_ON, _("Passed on, such as to the union’s lawyers")),
        (BallotStage.PLANNED, _("Planned")),
        (BallotStage.OPEN, _("Voting is open")),
        (BallotStage.CLOSED, _("Voting is over, not declared yet")),
        (BallotStage.DECLARED, _("Declared")),
        (BallotStage.CALLED_OFF, _("Called off")),
        (BallotStep.BALLOT_NOTICE, _("The employer must have the notice of the ballot")),
        (BallotStep.SAMPLE_PAPER, _("The employer must have a sample of the voting paper")),
        (BallotStep.OPENS, _("Voting opens")),
        (BallotStep.LAST_POST, _("Last safe day to post a vote")),
        (BallotStep.CLOSES, _("Last day of voting")),
        (BallotStep.TELL_MEMBERS, _("Tell everyone who could vote the result, as soon as you can")),
        (BallotStep.TELL_EMPLOYERS, _("Tell every employer the result, as soon as you can")),
        (BallotStep.SCRUTINEER_REPORT, _("The scrutineer’s report must be there")),
        (BallotStep.ACTION_NOTICE, _("The employer must have the notice of action")),
        (BallotStep.EARLIEST_ACTION, _("First day on which action may start")),
        (BallotStep.ACTION_STARTS, _("First day of action, as planned")),
        (BallotStep.ACTION_ENDED, _("Last day of action")),
        (BallotStep.REBALLOT_NOTICE, _("Notice of a new ballot, so that no day is lost")),
        (BallotStep.MANDATE_ENDS, _("Last day of the mandate")),
        (BallotKind.ACTION, _("Ballot on industrial action")),
        (BallotKind.REBALLOT, _("Re-ballot, to renew a mandate")),
        (BallotKind.RECOGNITION, _("Recognition ballot")),
        (BallotKind.INDICATIVE, _("Indicative ballot: no effect in law")),
        (QuestionKind.STRIKE, _("Strike")),
        (QuestionKind.SHORT_OF_STRIKE, _("Action short of a strike")),
        (QuestionKind.RECOGNITION, _("Recognition of the union")),
        (QuestionKind.OTHER, _("Another question")),
        (NotEntitled.NOT_A_MEMBER, _("Not a member of this union")),
        (NotEntitled.NOT_KNOWN_TO_BE_A_MEMBER, _("Not known to be a member")),
        (NotEntitled.OTHER_EMPLOYER, _("Works for another employer")),
        (NotEntitled.NOT_CALLED_OUT, _("Will not be called out")),
        (NotEntitled.AGREED_TO_LEAVE_OUT, _("Left out for another reason")),
        (VoteWord.VOTED, _("Voted")),
        (VoteWord.WILL_VOTE, _("Will vote")),
        (VoteWord.NOT_YET, _("Not yet")),
        (VoteWord.RATHER_NOT_SAY, _("Rather not say")),
        (Subject.ACTION_BALLOT, _("Ballots on industrial action")),
        (Subject.NOTICE, _("Notices")),
        (Subject.MANDATE, _("How long a result holds")),
        (Subject.RESULT, _("Results")),
        (Subject.RECOGNITION, _("Recognition and access")),
        (Subject.PROTECTION, _("Protection")),
        (KeyDate.BALLOT_OPENING, _("day the ballot opens")),
        (KeyDate.NOTICE_GIVEN, _("day of the notice")),
        (KeyDate.RESULT, _("day of the result")),
        (KeyDate.ACTION, _("day of the action")),
        (KeyDate.APPLICATION, _("day of the application")),
        (KeyDate.REQUEST, _("day of the request")),
        (Counted.ENTITLED, _("people entitled to vote")),
        (Counted.VALID, _("valid votes")),
        (Counted.SPOILED, _("spoiled papers")),
        (Counted.YES, _("yes votes")),
        (Counted.UNIT, _("workers in the unit")),
        (Counted.MEMBERS, _("members in the unit")),
        (Counted.SIGNED, _("workers who signed")),
        (Counted.PRESENT, _("people present")),
        (Rung.SURVEY, _("Survey, or checking how to reach people")),
        (Rung.QUIET_PETITION, _("Petition, names not shown to the employer")),
        (Rung.OPEN_PETITION, _("Petition with names made public")),
        (Rung.BADGE, _("Badge, sticker or lanyard day")),
        (Rung.PHOTO, _("Photo petition or photo board")),
        (Rung.MEETING, _("Mass grievance, or coming to a meeting")),
        (Rung.INDICATIVE_BALLOT, _("Indicative ballot (not a legal one)")),
        (Rung.MARCH, _("March on the boss")),
        (Rung.OPEN_TALKS, _("Open talks with the employer")),
        (Rung.PLEDGE, _("Public strike pledge")),
        (Rung.STATUTORY_BALLOT, _("Legal strike ballot: who says they voted, never how")),
        (Rung.WORK_TO_RULE, _("Overtime ban or work to rule")),
        (Deed.DID, _("Did it")),
        (Deed.WILL, _("Will")),
        (Deed.NOT_YET, _("Not yet")),
        (Deed.DID_NOT, _("Did not")),
        (WhyNot.REFUSED, _("Refused")),
        (WhyNot.NOT_REACHED, _("Nobody reached them")),
        (WhyNot.ABSENT, _("Absent")),
        (Evidence.SAW, _("One of us saw it")),
        (Evidence.SHEET, _("Their name is on the sheet")),
        (Evidence.SAID, _("They said so")),
        (Evidence.TOLD, _("Someone told us")),
        (VotedHow.MEETING, _("At a meeting")),
        (VotedHow.PAPER_BALLOT, _("On paper")),
        (VotedHow.ONLINE, _("Online")),
        (VotedHow.SURVEY, _("In a survey")),
        (VotedHow.OTHER, _("Another way")),
        (TaskState.WAITING, _("Waiting")),
        (TaskState.RUNNING, _("Running")),
        (TaskState.DONE, _("Done")),
        (TaskState.FAILED, _("Stopped")),
    )
)

STEPS: dict[str, Any] = {
    "open": _("Opened"),
    "issues": _("Heard what matters to them"),
    "agitate": _("Asked how that feels"),
    "attribution": _("Named who decides"),
    "vision_plan": _("Spoke of the plan to win"),
    "ask": _("Made the ask"),
    "inoculate": _("Spoke of what the boss will say"),
    "commit": _("They committed"),
    "follow_up": _("Agreed a next step"),
}

ISSUES: dict[str, Any] = {
    "pay": _("Pay"),
    "hours": _("Hours"),
    "shifts": _("Shifts"),
    "targets": _("Targets"),
    "safety": _("Safety"),
    "heat": _("Heat or cold"),
    "bullying": _("Bullying"),
    "contracts": _("Contracts"),
    "staffing": _("Too few staff"),
    "discrimination": _("Discrimination"),
    "breaks": _("Breaks"),
    "other": _("Something else"),
}

ASKS: dict[str, Any] = {
    "join": _("Join the union"),
    "petition": _("Sign the petition"),
    "meeting": _("Come to the meeting"),
    "talk_to_colleague": _("Talk to a colleague"),
    "vote": _("Vote"),
    "strike": _("Go on strike"),
    "wear_badge": _("Wear the badge"),
    "other": _("Something else"),
    "nothing": _("Nothing"),
}


def label(value: enum.Enum | int | str | None) -> str:
    """Return the screen's word for a value of a closed list; "Not known" for None."""
    if value is None:
        return str(NOT_KNOWN)
    if isinstance(value, enum.Enum):
        return str(LABELS[value])
    if isinstance(value, int):
        return str(RATINGS[value])
    for words in (ISSUES, ASKS, STEPS):
        if value in words:
            return str(words[value])
    return value


def question_name(kind: QuestionKind, words: str | None) -> str:
    """Return a question on a ballot paper as the screen names it: by the union's own words."""
    return words or label(kind)


def rating_label(rating: int | None) -> str:
    """Return the word for where somebody stands; "Not asked" for None."""
    return str(NOT_ASKED) if rating is None else str(RATINGS[rating])


def choices(members: Iterable[enum.Enum]) -> list[tuple[str, Any]]:
    """Return (value, word) pairs for a form field."""
    return [(member.value, LABELS[member]) for member in members]


def choices_or_unknown(members: Iterable[enum.Enum]) -> list[tuple[str, Any]]:
    """Return the pairs with "Not known" first, as the empty value."""
    return [("", NOT_KNOWN), *choices(members)]


# The sections of SIC 2007, word for word as crm/domain/sic.py has them; a test compares.
INDUSTRIES: dict[str, Any] = {
    "A": _("Agriculture, forestry and fishing"),
    "B": _("Mining and quarrying"),
    "C": _("Manufacturing"),
    "D": _("Electricity, gas, steam and air conditioning supply"),
    "E": _("Water supply, sewerage, waste management and remediation activities"),
    "F": _("Construction"),
    "G": _("Wholesale and retail trade; repair of motor vehicles and motorcycles"),
    "H": _("Transportation and storage"),
    "I": _("Accommodation and food service activities"),
    "J": _("Information and communication"),
    "K": _("Financial and insurance activities"),
    "L": _("Real estate activities"),
    "M": _("Professional, scientific and technical activities"),
    "N": _("Administrative and support service activities"),
    "O": _("Public administration and defence; compulsory social security"),
    "P": _("Education"),
    "Q": _("Human health and social work activities"),
    "R": _("Arts, entertainment and recreation"),
    "S": _("Other service activities"),
    "T": _(
        "Activities of households as employers; undifferentiated "
        "goods- and services-producing activities of households for own use"
    ),
    "U": _("Activities of extraterritorial organisations and bodies"),
}


def language_name(code: str) -> str:
    """Return the name of a language in the reader's own, the code where it has none."""
    reader = get_locale() or Locale("en")
    return str(reader.languages.get(code, code))


def my_language() -> str:
    """Return the code of the language that the reader sees the pages in."""
    return str((get_locale() or Locale("en")).language)


def language_choices() -> list[tuple[str, str]]:
    """Return (code, name) of the languages a note may be in, by name; the reader's own first."""
    own = my_language()
    codes = sorted(set(NOTE_LANGUAGES) | {own}, key=lambda code: language_name(code).casefold())
    return [(code, language_name(code)) for code in sorted(codes, key=lambda code: code != own)]
