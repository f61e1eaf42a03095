"""Which lines of a report are hidden: nobody gets at one of them by taking others away."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from crm.domain.report import SMALLEST_GROUP
from crm.reads.report_material import Material


def _follows(told: list[list[float]], wanted: list[float]) -> bool:
    """Whether a sum can be had from the sums that are told, by adding and taking away."""
    rank = np.linalg.matrix_rank
    return bool(told) and rank(np.array([*told, wanted])) == rank(np.array(told))


@pytest.mark.parametrize("seed", range(4))
def test_no_line_of_few_people_follows_from_the_lines_and_sums_that_are_told(seed: int) -> None:
    chance = random.Random(seed)
    for _world in range(150):
        places = range(chance.randint(1, 6))
        start = [100 * place for place in places]
        listed: Any = {p: range(start[p], start[p] + chance.randint(0, 8)) for p in places}
        low = {p: chance.choice([1, 4, 6, 12]) for p in places if chance.random() < 0.5}
        sizes: Any = {p: max(len(listed[p]), low.get(p, 0)) for p in places}
        counted: Any = frozenset(low) or None
        material = Material(None, None, None)  # type: ignore[arg-type]
        found = material.hidden_lines(
            sizes,
            all_people=sum(sizes.values()),
            listed=listed,
            counted=counted,
            sums=material._between(sizes, listed, counted) is not None,
        )
        told = [[float(p == one) for p in places] for one in places if one not in found.places]
        if not found.all_together:
            told.append([1.0 for _p in places])
        if counted and not found.counted and sum(sizes[p] for p in low) >= SMALLEST_GROUP:
            told.append([float(p in counted) for p in places])
        for one in places:
            if sizes[one] < SMALLEST_GROUP and len(listed[one]):
                alone = [float(p == one) for p in places]
                assert not _follows(told, alone), (listed, low, found)
