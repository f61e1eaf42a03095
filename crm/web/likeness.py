"""Why two records look like one person, in words."""

from __future__ import annotations

from crm.domain.likeness import Likeness, Reason
from crm.domain.place_likeness import PlaceLikeness
from crm.web.labels import label


def why(likeness: Likeness) -> list[str]:
    """Return what speaks for one person, the strongest first."""
    return _said(likeness, speaks_for=True)


def why_not(likeness: Likeness) -> list[str]:
    """Return what speaks against it, the strongest first."""
    return _said(likeness, speaks_for=False)


def _said(likeness: Likeness, *, speaks_for: bool) -> list[str]:
    found: list[tuple[float, Reason]] = [
        (abs(points), reason) for reason, points in likeness.reasons if (points > 0) is speaks_for
    ]
    return [label(reason) for _, reason in sorted(found, key=lambda one: -one[0])]


def why_places(likeness: PlaceLikeness) -> str:
    """Return what two workplaces have in common, and in what they differ, as one text."""
    return ", ".join(label(reason) for reason in likeness.reasons)
