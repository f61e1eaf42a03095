"""UK postcodes, alone in a cell or at the end of an address."""

from __future__ import annotations

import re

# Royal Mail's pattern: no Q, V or X first; no I, J or Z second; no C, I, K, M, O or V at the end.
_AREA = r"[A-PR-UWYZ][A-HK-Y]?"
_DISTRICT = r"[0-9][0-9A-HJKMNPR-Y]?"
_INWARD = r"[0-9][ABD-HJLNP-UW-Z]{2}"
_WHOLE = re.compile(rf"({_AREA})\s*({_DISTRICT})\s*({_INWARD})", re.IGNORECASE | re.ASCII)
_AT_END = re.compile(
    rf"(?<![A-Z0-9])({_AREA}{_DISTRICT})\s*({_INWARD})[\s.,]*$", re.IGNORECASE | re.ASCII
)


def find_postcode(text: str) -> str | None:
    """Returns the postcode that a text is, as "SE1 3TQ", or None when it is something else.

    Small letters and missing, doubled or misplaced spaces are put right. The shape is checked,
    not whether Royal Mail uses the postcode.
    """
    match = _WHOLE.fullmatch(text.strip(" \t\r\n.,"))
    if match is None:
        return None
    area, district, inward = match.groups()
    return f"{area}{district} {inward}".upper()


def split_postcode(address: str) -> tuple[str, str | None]:
    """Returns an address without the postcode at its end, and that postcode or None.

    A postcode that is followed by anything else stays in the address: it is not certain then
    what the rest means.
    """
    before, comma, last_part = address.rpartition(",")
    whole = find_postcode(last_part)
    if whole is not None:
        return before.rstrip(" ,") if comma else "", whole
    match = _AT_END.search(address)
    if match is None:
        return address, None
    outward, inward = match.groups()
    return address[: match.start()].rstrip(" ,"), f"{outward} {inward}".upper()
