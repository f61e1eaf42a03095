"""A cheap hasher, and people who can sign in, for the tests of accounts."""

from __future__ import annotations

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crm.domain.identity import fold
from crm.domain.roles import Role
from crm.features.accounts import passphrases
from crm.web.db import unit_of_work
from tests import factories

PASSPHRASE = "lantern copper otter mill"
CHEAP = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)


def make_signer(
    name: str = "Danuta Nowak", *, role: Role | None = Role.REP, place_id: int | None = None
) -> factories.Named:
    """Store a user with PASSPHRASE, who signs in by their folded name."""
    with unit_of_work(factories.ALL) as session:
        user = factories.make_user(
            session,
            name,
            sign_in_name=fold(name),
            password_hash=passphrases.hash_passphrase(PASSPHRASE),
        )
        if role is not None:
            place = None if place_id is None else factories.Named(place_id, user.public_id, "")
            factories.make_grant(session, user, role, place)
        return factories.Named(id=user.id, public_id=user.public_id, name=name)


def sign_in(client: FlaskClient, name: str = "Danuta Nowak", **more: str) -> TestResponse:
    """Send the sign-in form."""
    return client.post(
        "/sign-in", data={**more, "name": name, "passphrase": more.get("passphrase", PASSPHRASE)}
    )


def fresh(app: Flask) -> FlaskClient:
    """Return the client of a browser that was never here."""
    return app.test_client()
