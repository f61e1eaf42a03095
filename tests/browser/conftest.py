"""Served apps for the browser tests: made once a worker, each over a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.browser import live as serving
from tests.browser.live import Live


@pytest.fixture(scope="session")
def _small_world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Live]]:
    """_small_world("sqlite") serves the small world, once for each database and worker."""
    served: dict[str, Live] = {}
    with ExitStack() as stack:

        def _on(database: str) -> Live:
            if database not in served:
                folder = tmp_path_factory.mktemp("live")
                url = f"sqlite:///{folder / 'live.db'}"
                if database == "postgresql":
                    url = request.getfixturevalue("fresh_pg_database")()
                served[database] = stack.enter_context(serving.small_world(url, folder))
            return served[database]

        yield _on


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def live(request: pytest.FixtureRequest, _small_world: Callable[[str], Live]) -> Live:
    """The small world, served; every test that asks for it runs on both databases."""
    return _small_world(request.param)


@pytest.fixture(scope="session")
def live_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The small world on SQLite only: for how pages look, where the database makes no odds."""
    folder = tmp_path_factory.mktemp("looks")
    with serving.small_world(f"sqlite:///{folder / 'looks.db'}", folder) as found:
        yield found


@pytest.fixture(scope="session")
def live_practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The practice copy, served: full lists and charts."""
    folder = tmp_path_factory.mktemp("practice")
    with serving.practice(f"sqlite:///{folder / 'practice.db'}", folder) as found:
        yield found
