"""Addresses nobody would type get a page, not a fault, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.factories import Named, World

Clients = Callable[[Named], FlaskClient]

_PATHS = {
    "boss_of_all": (
        "/people?q={}",
        "/people?page={}",
        "/people?place={}",
        "/people?member={}",
        "/people?as_at={}",
        "/people/new?workplace={}&name={}",
        "/log?q={}",
        "/places?q={}",
        "/places?page={}",
        "/places?employer={}",
        "/dash?page={}",
        "/dash?as_at={}",
        "/dash?compare={}",
        "/dash?knew={}",
        "/dash?by={}",
        "/dash?sector={}",
        "/dash?union={}",
        "/dash?workplace={}",
        "/dash/explain?as_at={}",
        "/dash/print?as_at={}",
    ),
    "admin": (
        "/admin/users?q={}",
        "/admin/users?page={}",
        "/admin/places?q={}",
        "/admin/places?kind={}&user={}",
        "/admin/users/new?place={}",
    ),
}
_VALUES = {
    "nul": "%00",
    "nul inside": "a%00b",
    "half a letter": "%ED%A0%80",
    "not utf-8": "%FF%FE",
    "huge number": "9" * 4000,
    "beyond 64 bits": "9223372036854775808",
    "negative": "-1",
    "other digits": "%D9%A3%D9%A3",
    "percent": "%25%25%25%5F%5F",
    "backslash": "%5C%5C%5C",
    "many words": "+".join(["a"] * 3000),
    "first day": "0001-01-01",
    "last day": "9999-12-31",
    "early day": "1900-01-01",
    "late day": "2200-12-31",
}


@pytest.mark.parametrize("value", _VALUES.values(), ids=_VALUES.keys())
def test_an_odd_address_gets_a_page(client_as: Clients, world: World, value: str) -> None:
    for who, paths in _PATHS.items():
        client = client_as(getattr(world, who))
        for path in paths:
            address = path.replace("{}", value)
            answer = client.get(address)
            assert answer.status_code in {200, 404, 422}, address
