"""Published tallies of elections for recognition, held against the rule and what was certified."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.elections import Outcome, Tally, clean, counts, read_tallies

FILE = Path(__file__).parents[1] / "data" / "nlrb-elections-2017-2019" / "elections.csv"


@pytest.fixture(scope="module")
def tallies() -> list[Tally]:
    """All rows of the sample."""
    return read_tallies(FILE)


def test_the_count_gives_what_was_certified_but_for_the_known_exceptions(
    tallies: list[Tally],
) -> None:
    found = counts(clean(tallies))
    assert found["clean"] == 30
    exceptions = {
        name: number
        for name, number in found.items()
        if name.startswith(("won,", "lost,", "tied,"))
    }
    assert exceptions == {
        "won, closed without a union": 7,
        "lost, and a union certified": 3,
        "tied, and a union certified": 1,
    }
    assert found["agree"] == found["clean"] - sum(exceptions.values())


def test_one_vote_more_wins_and_a_tie_loses(tallies: list[Tally]) -> None:
    close = {
        (one.votes_for or 0) - (one.against or 0): one.outcome()
        for one in clean(tallies)
        if one.certified is ((one.votes_for or 0) > (one.against or 0))
    }
    assert (close[1], close[0], close[-1]) == (Outcome.WON, Outcome.TIED, Outcome.LOST)


def test_a_rerun_a_run_off_and_a_count_in_doubt_are_not_judged_by_the_count_alone(
    tallies: list[Tally],
) -> None:
    others = [one for one in tallies if one not in clean(tallies)]
    assert len(others) == 17
    assert {"Rerun", "Run-off"} <= {one.kind for one in others}
    assert any(one.challenges_decide for one in others)
    assert any(one.impounded for one in others)
    assert any((one.valid or 0) > (one.entitled or 0) for one in others)


def test_a_tally_without_a_count_has_no_outcome(tallies: list[Tally]) -> None:
    missing = [one for one in tallies if one.valid is None or one.votes_for is None]
    assert missing
    assert {one.outcome() for one in missing} == {None}
