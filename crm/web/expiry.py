"""How long an assessment counts on this server, as whoever runs it has set it."""

from __future__ import annotations

from datetime import date

from flask import current_app

from crm.domain.assessment import ExpiryRule, Freshness, freshness_of


def expiry_rule() -> ExpiryRule:
    """Return the rule of the settings, in days: fresh until the first, expired after the second."""
    fresh_days, stale_days = current_app.config["EXPIRY_DAYS"]
    return ExpiryRule(fresh_days=fresh_days, stale_days=stale_days)


def freshness_on(as_at: date, scored_on: date | None) -> Freshness:
    """Return how far a standing can be relied on at a day; None = nobody asked, nothing to age."""
    if scored_on is None:
        return Freshness.FRESH
    return freshness_of((as_at - scored_on).days, expiry_rule())
