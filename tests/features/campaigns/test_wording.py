"""Rates of tests in words."""

from __future__ import annotations

from flask import Flask

from crm.domain.structure import Deed, tally
from crm.features.campaigns.wording import rate_words


def test_a_rate_just_short_of_its_target_does_not_read_as_the_target(app: Flask) -> None:
    """649 of 1,000 is not 65%; without a target a whole per cent is enough."""
    just_short = tally([(Deed.DID, None)] * 649 + [(Deed.DID_NOT, None)] * 351)
    with app.test_request_context():
        assert rate_words(just_short, 65) == "64.9% (649 of 1,000)"
        assert rate_words(just_short) == "65% (649 of 1,000)"
