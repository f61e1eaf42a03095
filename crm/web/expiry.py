"""How long an assessment counts on this server, as whoever runs it has set it."""

from __future__ import annotations

from flask import current_app

from crm.domain.assessment import ExpiryRule


def expiry_rule() -> ExpiryRule:
    """Return the rule of the settings, in days: fresh until the first, expired after the second."""
    fresh_days, stale_days = current_app.config["EXPIRY_DAYS"]
    return ExpiryRule(fresh_days=fresh_days, stale_days=stale_days)
