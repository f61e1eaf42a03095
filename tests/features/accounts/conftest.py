"""Hashing is made cheap here; tests/features/accounts/test_passphrases.py checks the real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crm.features.accounts import passphrases
from tests.features.accounts.signing import CHEAP


@pytest.fixture(autouse=True)
def cheap_hashes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hash with the least work, so that the tests are quick."""
    if "real_hasher" in request.fixturenames:
        yield
        return
    patch = pytest.MonkeyPatch()
    patch.setattr(passphrases, "_HASHER", CHEAP)
    passphrases._nobody.cache_clear()
    yield
    patch.undo()
    passphrases._nobody.cache_clear()


@pytest.fixture
def real_hasher() -> None:
    """The hasher of the running program."""
