"""The words of the trail: tables, fields and values as the screens call them."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from crm.access.audit import MERGED, PARTED
from crm.domain.vocabulary import Verb
from crm.features.history.queries import (
    NAMED,
    OF_PEOPLE,
    OF_PLACES,
    OF_USERS,
    Act,
    History,
    Line,
    Names,
    closed_list,
)
from crm.web.filters import day, moment
from crm.web.labels import LABELS, RATINGS
from crm.web.labels import label as word_of

SUBJECTS: dict[str, Any] = {
    "contact": _("Person"),
    "contact_point": _("Phone, email or address"),
    "field_basis": _("Why we may keep it"),
    "job": _("Job"),
    "membership": _("Union membership"),
    "conversation": _("Talk"),
    "conversation_issue": _("What matters to them"),
    "conversation_note": _("Note"),
    "assessment": _("Where they stand"),
    "member_list": _("Membership list of the union"),
    "member_list_act": _("What was said yes to on a membership list"),
    "different_places": _("Two workplaces that are not the same"),
    "merged_person": _("Another record put into this one"),
    "different_people": _("Not the same person as somebody else"),
    "follow_up": _("Reminder"),
    "follow_up_pass": _("Reminder given to a colleague"),
    "workplace": _("Workplace"),
    "area": _("Area"),
    "employer": _("Employer"),
    "branch": _("Branch"),
    "trade_union": _("Union"),
    "shift": _("Shift"),
    "bargaining_unit": _("Bargaining unit"),
    "recognition": _("Recognition"),
    "headcount": _("Headcount"),
    "member_count": _("Member count"),
    "readiness_terms": _("Weights and limits of readiness"),
    "readiness_finding": _("What was decided or checked"),
    "place_edge": _("Link between places"),
    "place_tie": _("What a workplace is to another place"),
    "user_account": _("Account"),
    "access_grant": _("Role"),
    "invitation": _("Link to sign in"),
    "user_session": _("Session"),
    "calendar_feed": _("Calendar address"),
    "background_task": _("Long work"),
    "phone_list": _("List for the phone"),
    "tie": _("Whom they listen to"),
    "leading": _("Leader"),
    "social_group": _("Group of people"),
    "group_member": _("In a group"),
    "turf": _("Whose area it is"),
    "turf_person": _("Who looks after them"),
    "turf_move": _("Handing over"),
    "tag": _("Tag"),
    "custom_field": _("Field"),
    "field_choice": _("Choice of a field"),
    "contact_tag": _("Tag on a person"),
    "place_tag": _("Tag on a workplace"),
    "contact_answer": _("Answer to a field"),
    "place_answer": _("Answer to a field"),
    "talk_list": _("Talk list"),
    "campaign": _("Campaign"),
    "campaign_unit": _("Place of a campaign"),
    "demand": _("Demand"),
    "structure_test": _("Structure test"),
    "base_place": _("Place of a test"),
    "participation": _("What they did in a test"),
    "list_import": _("List that came in"),
    "ballot": _("Ballot"),
    "ballot_question": _("Question of a ballot"),
    "ballot_part": _("Workplace of a ballot"),
    "ballot_count": _("Count of a ballot"),
    "ballot_exclusion": _("Left out of a ballot"),
    "ballot_forecast": _("Projection of a ballot"),
    "vote_told": _("Who told us that they voted"),
    "place": _("Place"),
    "law_change": _("Change of law"),
    "ballot_entry": _("List of voters"),
    "ballot_days": _("Days of a ballot as a file"),
    "ballot_letter": _("Letter of a ballot"),
    "rule_check": _("Rule that was checked"),
    "task_file": _("File of long work"),
    "union_affiliation": _("Body a union belongs to"),
    "external_id": _("Number in another list"),
    "kept_talk": _("Talk kept for its writer"),
    "sheet": _("Sheet of paper"),
    "sheet_line": _("Line of a sheet"),
    "account_notice": _("Message to administrators"),
    # Never in a trail that others read; in words for its own team.
    "case_file": _("Case"),
    "case_deadline": _("Deadline of a case"),
    "case_person": _("Person of a case"),
    "case_team_member": _("Team of a case"),
    "case_entry": _("Entry in a case"),
    "saved_list": _("Saved list"),
    "everything": _("File of everything"),
    "bulk_action": _("Done with many people"),
    "bulk_entry": _("Person of what was done with many"),
    "report_recipe": _("Kept report"),
    "report_file": _("Report made by the server"),
    "report_csv": _("Report file"),
    "report_xlsx": _("Report file"),
    "report_pdf": _("Report file"),
    "report_zip": _("Report file"),
    "file_recipe": _("Columns of a file of people"),
    "people_file": _("File of people"),
    "report_frame": _("Figures for a notebook"),
    "density_frame": _("Figures for a notebook"),
    "density": _("Density file"),
    "density_table": _("Density file"),
    "audit_entry": _("File of the trail"),
}

FIELDS: dict[str, Any] = {
    "known_as": _("Name they use"),
    "full_name": _("Full name"),
    "placeholder_label": _("Label"),
    "pronouns": _("Pronouns"),
    "languages": _("Languages"),
    "how_known": _("How we know them"),
    "do_not_contact": _("Do not contact"),
    "kind": _("Kind"),
    "value": _("Value"),
    "label": _("Note"),
    "state": _("State"),
    "basis": _("How we know"),
    "field_group": _("What it is about"),
    "given_on": _("Given on"),
    "withdrawn_on": _("Withdrawn on"),
    "wording": _("Words"),
    "place_id": _("Where"),
    "workplace_id": _("Workplace"),
    "area_id": _("Area"),
    "shift_id": _("Shift"),
    "job_title": _("Job title"),
    "employer_of_record_id": _("Who pays the wages"),
    "contract_type": _("Contract"),
    "valid_from": _("From"),
    "valid_to": _("Until"),
    "from_is_first_seen": _("Known since then only"),
    "union_id": _("Union"),
    "branch_id": _("Branch"),
    "status": _("Membership"),
    "source": _("Source"),
    "source_kind": _("Source"),
    "day": _("Day"),
    "channel": _("How they talked"),
    "length_band": _("How long"),
    "steps_reached": _("How far it got"),
    "asked": _("What was asked"),
    "ask": _("For what"),
    "answer": _("Answer"),
    "decided_by": _("Who decided"),
    "from_day": _("From"),
    "terms": _("Weights and limits of readiness"),
    "issue": _("What matters"),
    "their_words": _("Their words"),
    "fears": _("What they are afraid of"),
    "inoculation": _("What we said about how the boss may answer"),
    "next_step": _("What happens next"),
    "language": _("Language of the notes"),
    "rating": _("Where they stand"),
    "held_by_id": _("Who talked with them"),
    "assessor_id": _("Who judged it"),
    "owner_id": _("Whose"),
    "author_id": _("Who wrote it"),
    "due_on": _("Due"),
    "what": _("About"),
    "done_at": _("Done"),
    "name": _("Name"),
    "on_day": _("On"),
    "low": _("At least"),
    "best": _("Best guess"),
    "high": _("At most"),
    "members": _("Members"),
    "counts": _("Who is counted"),
    "superseded_at": _("Taken back"),
    "rows": _("Rows"),
    "active": _("Open"),
    "role": _("Role"),
    "sector": _("Sector"),
    "country": _("Country"),
    "closed_on": _("Closed on"),
    "need_to_know": _("Only for those who need to know"),
    "company_number": _("Company number"),
    "address": _("Address"),
    "postcode": _("Postcode"),
    "abbreviation": _("Short name"),
    "covers": _("Covers"),
    "covered": _("Whom it counts"),
    "rounded_to": _("Rounded to"),
    "source_note": _("Where it comes from"),
    "body_name": _("Body"),
    "starts_at": _("Starts at"),
    "ends_at": _("Ends at"),
    "time_zone": _("Time zone"),
    "theme": _("Look"),
    "sign_in_name": _("Sign-in name"),
    "user_id": _("Who"),
    "from_user_id": _("From whom"),
    "to_user_id": _("To whom"),
    "passed_by_id": _("Passed on by"),
    "said_by_id": _("Who said so"),
    "made_by_id": _("Made by"),
    "carrier_id": _("Who carries it"),
    "set_by_id": _("Set by"),
    "leader_id": _("Whom they listen to"),
    "group_id": _("Group"),
    "tag_id": _("Tag"),
    "field_id": _("Field"),
    "choice_id": _("Choice"),
    "text_value": _("Answer"),
    "number_value": _("Answer"),
    "day_value": _("Answer"),
    "flag_value": _("Answer"),
    "hint": _("Hint"),
    "retired_on": _("No longer used from"),
    "stage": _("How sure"),
    "found_by": _("How it was found"),
    "action": _("Action"),
    "action_on": _("Day of the action"),
    "listeners": _("Asked to act"),
    "acted": _("Acted"),
    "times_put_off": _("Times put off"),
    "first_due_on": _("First due"),
    "undone_at": _("Undone"),
    "began_on": _("In force from"),
    "checked_on": _("Checked on"),
    "as_at": _("As at"),
    "to_day": _("Until"),
    "target": _("Target"),
    "deed": _("What they did"),
    "why": _("Why not"),
    "evidence": _("How we know"),
    "closes_on": _("Closes on"),
    "opens_on": _("Opens on"),
    "called_off_at": _("Called off"),
    "called_off_on": _("Called off"),
    "people": _("People"),
    "words": _("Words"),
    "voted_on": _("Voted on"),
    "voted_how": _("How they voted"),
    "votes_for": _("For"),
    "votes_against": _("Against"),
    "dropped_on": _("Dropped on"),
    "jurisdiction": _("Law of"),
    "separate": _("One ballot for each place"),
    "declared_on": _("Declared on"),
    "ballot_notice_on": _("Notice of the ballot"),
    "members_told_on": _("Members told"),
    "employers_told_on": _("Employers told"),
    "action_notice_on": _("Notice of action"),
    "action_starts_on": _("Action starts"),
    "action_ended_on": _("Last day of action"),
    "entitled": _("Entitled to vote"),
    "cast": _("Votes cast"),
    "yes": _("Yes"),
    "no": _("No"),
    "spoiled": _("Spoiled"),
    "origin": _("Where it comes from"),
    "reason": _("Reason"),
    "shared_with_id": _("Shared with"),
    "number": _("Number"),
    "gone_name": _("Name of the other record"),
}
# Keys, versions and moments of the machine: they tell a reader nothing.
_QUIET = frozenset(
    {
        "id",
        "public_id",
        "version",
        "name_key",
        "value_key",
        "contact_id",
        "gone_id",
        "other_id",
        "merged_into_id",
        "merged_at",
        "merged_by_id",
        "undone_by_id",
        "said_at",
        "said_by_id",
        "done",
        "conversation_id",
        "created_at",
        "created_by_id",
        "recorded_at",
        "recorded_by_id",
        "held_at",
        "withdrawn_at",
        "done_by_id",
        "token_hash",
        "filters",
    }
)

VERBS: dict[Verb, Any] = {
    Verb.CREATE: _("Added"),
    Verb.UPDATE: _("Changed"),
    Verb.DELETE: _("Removed"),
    Verb.VIEW: _("Looked at"),
    Verb.EXPORT: _("Taken out as a file"),
    Verb.SIGN_IN: _("Signed in"),
    Verb.SIGN_OUT: _("Signed out"),
}


_REASONS: dict[str | None, Any] = {
    MERGED: _("Two records were made one"),
    PARTED: _("The two records were made two again"),
}


def reason_text(reason: str | None) -> str | None:
    """Return why something was written, in the reader's words where there are such."""
    words = _REASONS.get(reason)
    return reason if words is None else str(words)


def verb_text(line: Line) -> str:
    """Return what was done, in a word or two: a fact that was replaced or taken back says so."""
    names = {name for name, _old, _new in line.changes}
    if line.verb is Verb.UPDATE and "withdrawn_at" in names:
        taken = any(new is not None for name, _old, new in line.changes if name == "withdrawn_at")
        return str(gettext("Taken back") if taken else gettext("Brought back"))
    if line.verb is Verb.UPDATE and "superseded_at" in names:
        return str(gettext("Taken back, or replaced"))
    return str(VERBS[line.verb])


def subject_text(line: Line) -> str:
    """Return the screen's word for the table."""
    return str(SUBJECTS.get(line.subject, str(gettext("Something else"))))


def way_back(act: Act, names: Names) -> list[str]:
    """Return what undoing an act will do, a sentence for each thing."""
    found: list[str] = []
    replaced = {line.subject for line in act.lines if _is_replaced(line)}
    for line in act.lines:
        subject = subject_text(line)
        if line.subject in replaced:
            # The old fact and the new one are two rows of one change.
            sentence = gettext("%(what)s: as it was before.", what=subject)
        elif line.verb is Verb.CREATE:
            sentence = gettext("%(what)s: taken away again.", what=subject)
        elif line.verb is Verb.DELETE:
            sentence = gettext("%(what)s: put back.", what=subject)
        else:
            found.extend(_back_again(line, names))
            continue
        found.append(str(sentence))
    return list(dict.fromkeys(found))


def _is_replaced(line: Line) -> bool:
    return any(name == "superseded_at" for name, _old, new in line.changes if new is not None)


def _back_again(line: Line, names: Names) -> list[str]:
    """Return a sentence for each field of a row that gets its old value again."""
    if any(name == "withdrawn_at" for name, _old, _new in line.changes):
        return [str(gettext("%(what)s: counts again.", what=subject_text(line)))]
    return [
        str(
            gettext(
                "%(field)s: “%(old)s” again.",
                field=field,
                old=old if old is not None else gettext("nothing"),
            )
        )
        for field, old, _new in change_rows(line, names)
    ]


def change_rows(line: Line, names: Names) -> list[tuple[str, str | None, str | None]]:
    """Return (field, old, new) in words; None where nothing was, or is, there.

    Fields that only the machine reads are left out, and those this reader has no word for.
    """
    found = []
    for name, old, new in line.changes:
        if name in _QUIET or name not in FIELDS or name == "superseded_at":
            continue
        before, after = (_value(line.subject, name, one, names) for one in (old, new))
        if before != after:
            found.append((str(FIELDS[name]), before, after))
    return found


def file_headings() -> list[str]:
    """Return the headings of the trail's file."""
    return [
        gettext("When (UTC)"),
        gettext("Who"),
        gettext("What was done"),
        gettext("Record"),
        gettext("About"),
        gettext("Place"),
        gettext("Field"),
        gettext("Before"),
        gettext("Now"),
    ]


def file_lines(found: History) -> Iterator[list[str | None]]:
    """Yield one line for each field that changed, or one for an act without fields."""
    for act in found.acts:
        for line in act.lines:
            start = [
                act.at.astimezone(UTC).isoformat(timespec="seconds"),
                act.by or gettext("by the machine"),
                verb_text(line),
                subject_text(line),
                act.person,
                act.place,
            ]
            rows: list[tuple[str | None, str | None, str | None]] = [
                *change_rows(line, found.names)
            ]
            for field, old, new in rows or [(None, None, None)]:
                yield [*start, field, old, new]


def _value(subject: str, name: str, value: Any, names: Names) -> str | None:
    if value is None:
        return None
    if name in OF_PLACES:
        return names.places.get(value, str(gettext("a place you do not see")))
    if name in OF_USERS:
        return names.users.get(value, str(gettext("somebody")))
    if name in OF_PEOPLE:
        return names.people.get(value, str(gettext("a person you do not see")))
    if name in NAMED:
        return names.things.get((name, value), str(gettext("something you do not see")))
    if name == "rating" and isinstance(value, int):
        return f"{value} · {RATINGS[value]}"
    if isinstance(value, bool):
        return str(gettext("yes")) if value else str(gettext("no"))
    if isinstance(value, list):
        return ", ".join(word_of(str(one)) for one in value)
    if isinstance(value, str):
        if value == "(hidden)":
            return str(gettext("(not shown)"))
        listed = closed_list(subject, name)
        if listed is not None:
            return _listed(listed, value)
        return _dated(value) or (word_of(value) if name not in _WORDS else value)
    return str(value)


# What people typed: a word that happens to be a code stays as it was typed.
_WORDS = frozenset(
    {
        "known_as",
        "full_name",
        "placeholder_label",
        "pronouns",
        "value",
        "label",
        "wording",
        "job_title",
        "their_words",
        "fears",
        "inoculation",
        "next_step",
        "what",
        "name",
        "address",
        "source_note",
        "body_name",
        "covered",
        "words",
        "reason",
        "text_value",
        "hint",
    }
)


def _listed(kind: type[enum.Enum], value: str) -> str:
    """Return the word of a member of a closed list; what has none any more stays as it is."""
    member = next((one for one in kind if one.value == value), None)
    return str(LABELS[member]) if member is not None and member in LABELS else value


def _dated(value: str) -> str | None:
    if len(value) < 10 or value[4:5] != "-" or value[7:8] != "-":
        return None
    try:
        if len(value) == 10:
            return day(date.fromisoformat(value))
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment(found) if found.tzinfo is not None else None
