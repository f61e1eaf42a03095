"""Published results, stored through the service as a user stores them, come out to the digit."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Callable, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bench.elections import clean, read_tallies
from crm.access.ballots import Asked, BallotFacts
from crm.access.scope import Grant, Scope
from crm.domain.balloting import QuestionCount
from crm.domain.numbers import round_half_up
from crm.domain.roles import Role
from crm.domain.vocabulary import BallotKind, QuestionKind
from crm.features.ballots import queries, service, wording
from crm.reads.ballots import WholeBallot, get_ballot, passed_on
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

Clients = Callable[[Named], FlaskClient]
FOLDER = Path(__file__).parents[2] / "data"
UCU = FOLDER / "ucu-ballots-2018-2019"


def _whole(text: str) -> int | None:
    cleaned = text.replace(",", "").strip()
    return int(float(cleaned)) if cleaned else None


def _rows(name: str) -> list[dict[str, str]]:
    with (UCU / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.DictReader(file) if row["University"].strip()]


def _count(row: dict[str, str]) -> QuestionCount:
    blank, spoilt = _whole(row["Blank"]), _whole(row["Spoilt"])
    spoiled = None if blank is None or spoilt is None else blank + spoilt
    return QuestionCount(
        _whole(row["Mailedout"]),
        _whole(row["Turnout"]),
        _whole(row["Yes"]),
        _whole(row["No"]),
        spoiled,
    )


def _scope(world: World) -> Scope:
    return Scope(world.boss_of_all.id, (Grant(Role.ORGANISER, 1, covers_everything=True),))


def _plan(
    names: Sequence[str],
    facts: BallotFacts,
    asked: Sequence[QuestionKind],
    scope: Scope,
) -> uuid.UUID:
    """Plan a ballot of workplaces with these names, as a user does."""
    with unit_of_work(ALL) as session:
        union = factories.make_union(session, f"Union of {facts.name}")
        branch = factories.make_branch(session, union, f"Branch of {facts.name}")
        employer = factories.make_employer(session, f"Employer of {facts.name}")
        for name in names:
            factories.make_workplace(session, employer, name, branches=(branch,))
    ballot_id = uuid.uuid4()
    with unit_of_work(scope) as session:
        service.create_ballot(
            session,
            scope,
            facts,
            [Asked(one) for one in asked],
            ballot_id=ballot_id,
            place=branch.public_id,
            union=union.public_id,
            now=NOW,
        )
    return ballot_id


def _facts(name: str, opens: date, closes: date, **more: Any) -> BallotFacts:
    values = {
        "kind": BallotKind.ACTION,
        "jurisdiction": "GB",
        "separate": False,
        "important_public_service": None,
        "employer_agreed": False,
        "applied_on": None,
        "last_post_on": None,
        **more,
    }
    return BallotFacts(name=name, opens_on=opens, closes_on=closes, **values)


def _hold(name: str, opens: date, closes: date, scope: Scope) -> WholeBallot:
    """Store both questions of one dispute of the universities; return the ballot as read back."""
    sheets = [
        {row["University"].strip(): row for row in _rows(f"{name}_{kind}")}
        for kind in ("strike", "asos")
    ]
    ballot_id = _plan(
        sorted(sheets[0]),
        _facts(name, opens, closes, separate=True),
        (QuestionKind.STRIKE, QuestionKind.SHORT_OF_STRIKE),
        scope,
    )
    with unit_of_work(scope) as session:
        ballot = get_ballot(session, scope, ballot_id)
        offered = queries.list_workplaces(session, scope, ballot, closes)
        # The sheets flag one college of Belfast wrongly; see the README of the data.
        laws = {
            one.public_id: (None, "NI" if _is_northern(sheets[0][one.name]) else "GB")
            for one in offered
        }
        service.set_parts(session, scope, ballot_id, laws)
        for part in ballot.parts:
            counts = {
                question.public_id: _count(sheet[part.name])
                for question, sheet in zip(ballot.questions, sheets, strict=True)
            }
            service.record_result(
                session, scope, ballot_id, counts, part_id=part.public_id, now=NOW, today=TODAY
            )
    with unit_of_work(scope, read_only=True) as session:
        return get_ballot(session, scope, ballot_id)


def _is_northern(row: dict[str, str]) -> bool:
    return row["Require50"] in ("False", "0.0") or "Belfast" in row["University"]


def _carried(ballot: WholeBallot, question: int = 0) -> set[str]:
    return {
        part.name for part in ballot.parts if passed_on(part.result, ballot.questions[question])
    }


@pytest.fixture
def everywhere(world: World) -> Scope:
    """The scope of an organiser of everything."""
    return Scope(world.boss_of_all.id, (Grant(Role.ORGANISER, 1, covers_everything=True),))


def test_61_universities_in_2018_and_60_in_2019_as_published(
    app: Flask, everywhere: Scope, client_as: Clients, world: World
) -> None:
    expected = json.loads((UCU / "expected.json").read_text(encoding="utf-8"))
    before = _hold("2018_pension", date(2017, 11, 29), date(2018, 1, 19), everywhere)
    assert len(_carried(before)) == 61
    assert len(_carried(before, 1)) == expected["2018_pension_asos"]["mandates_using_file_flag"]
    opens, closes = date(2019, 9, 9), date(2019, 10, 30)
    pay = _hold("2019_pay", opens, closes, everywhere)
    pension = _hold("2019_pension", opens, closes, everywhere)
    assert len(_carried(pay) | _carried(pension)) == 60
    only_pay, both = _carried(pay) - _carried(pension), _carried(pay) & _carried(pension)
    assert (len(only_pay), len(both), len(_carried(pension) - _carried(pay))) == (14, 43, 3)
    # 25 of 50 voted: exactly half passes. No turnout test in Northern Ireland.
    assert "Bishop Grosseteste University" in _carried(pay)
    assert "St Mary's University College" in {name.partition(",")[0] for name in _carried(pay)}
    with app.test_request_context():
        _same_percentages(before, "2018_pension")
        _same_percentages(pay, "2019_pay")
        _same_percentages(pension, "2019_pension")
    shown = client_as(world.boss_of_all).get(f"/ballots/{before.public_id}").text
    assert "of 68 asked; not carried: 7" in shown


def _same_percentages(ballot: WholeBallot, name: str) -> None:
    """Every percentage on screen equals the one worked out from the sheet by exact fractions."""
    for question, kind in enumerate(("strike", "asos")):
        sheet = {row["University"].strip(): _count(row) for row in _rows(f"{name}_{kind}")}
        assert len(sheet) == len(ballot.parts)
        for part in ballot.parts:
            count = sheet[part.name]
            assert part.result is not None
            assert part.result.counts[ballot.questions[question].id] == count
            words = wording.counts_words(part.result.counts[ballot.questions[question].id])
            assert count.cast is not None
            assert count.yes is not None
            if count.entitled is None:
                assert "turnout" not in words
                continue
            turnout = round_half_up(Fraction(count.cast, count.entitled) * 100, 1)
            assert f"turnout {turnout}%" in words
            if count.no is not None:
                of_valid = round_half_up(Fraction(count.yes, count.yes + count.no) * 100, 1)
                assert f"yes {of_valid}% of valid votes" in words


def test_every_published_notice_keeps_its_verdict(everywhere: Scope) -> None:
    with (FOLDER / "uk-ballot-notices" / "notices.csv").open(encoding="utf-8", newline="") as file:
        notices = list(csv.DictReader(file))
    assert len(notices) == 8
    for number, row in enumerate(notices):
        closes = date.fromisoformat(row["closed"] or "2018-01-01")
        facts = _facts(
            f"Notice {number}",
            closes,
            closes,
            important_public_service=row["ips_category"].rstrip("?") == "transport",
        )
        ballot_id = _plan([f"Depot {number}"], facts, (QuestionKind.STRIKE,), everywhere)
        numbers = (int(row[name]) for name in ("entitled", "cast", "yes", "no", "spoiled"))
        with unit_of_work(everywhere) as session:
            question = get_ballot(session, everywhere, ballot_id).questions[0].public_id
            service.record_result(
                session,
                everywhere,
                ballot_id,
                {question: QuestionCount(*numbers)},
                part_id=None,
                now=NOW,
                today=TODAY,
            )
            ballot = get_ballot(session, everywhere, ballot_id)
        assert ballot.carried is (row["published_verdict"] == "mandate"), row


def test_published_elections_for_recognition_are_won_by_one_vote_more_and_not_by_a_tie(
    everywhere: Scope,
) -> None:
    tallies = clean(read_tallies(FOLDER / "nlrb-elections-2017-2019" / "elections.csv"))
    close = {
        (one.votes_for or 0) - (one.against or 0): one for one in tallies if one.half_took_part
    }
    for margin, carried in ((1, True), (0, False), (-1, False)):
        one = close[margin]
        facts = _facts(
            f"Election {margin}",
            one.filed_on,
            one.filed_on,
            kind=BallotKind.RECOGNITION,
            jurisdiction="US",
            applied_on=one.filed_on,
        )
        ballot_id = _plan([f"Plant {margin}"], facts, (QuestionKind.RECOGNITION,), everywhere)
        with unit_of_work(everywhere) as session:
            question = get_ballot(session, everywhere, ballot_id).questions[0].public_id
            service.record_result(
                session,
                everywhere,
                ballot_id,
                {question: QuestionCount(one.entitled, one.valid, one.votes_for, one.against, 0)},
                part_id=None,
                now=NOW,
                today=TODAY,
            )
            assert get_ballot(session, everywhere, ballot_id).carried is carried
