"""Rates of tests in words."""

from __future__ import annotations

from datetime import date

from flask import Flask

from crm.domain.structure import Deed, WhyNot, tally
from crm.features.campaigns.wording import funnel, rate_words


def test_a_rate_just_short_of_its_target_does_not_read_as_the_target(app: Flask) -> None:
    """649 of 1,000 is not 65%; without a target a whole per cent is enough."""
    just_short = tally([(Deed.DID, None)] * 649 + [(Deed.DID_NOT, None)] * 351)
    with app.test_request_context():
        assert rate_words(just_short, 65) == "64.9% (649 of 1,000)"
        assert rate_words(just_short) == "65% (649 of 1,000)"


def test_the_bars_of_a_test_share_one_base_and_show_the_not_known_as_such(app: Flask) -> None:
    one = tally(
        [(Deed.DID, None)] * 3
        + [(Deed.WILL, None)] * 2
        + [(Deed.DID_NOT, WhyNot.REFUSED)] * 4
        + [(None, None)] * 11
    )
    with app.test_request_context():
        chart = funnel(one, date(2026, 9, 1), date(2026, 9, 2))
    assert chart["title"] == "3 of 20 did it; of 13 it is not known"
    rows = {row["label"]: (row["share"], row["unknown"]) for row in chart["rows"]}
    assert rows["Everyone on the list"] == (1, False)
    assert rows["Did it"] == (0.15, False)
    assert rows["Say they will"] == (0.1, True)
    assert rows["Refused"] == (0.2, False)
    assert rows["Nothing known"] == (0.55, True)
    # Nobody: no bar, which would look like somebody.
    assert rows["Absent"] == (None, False)
