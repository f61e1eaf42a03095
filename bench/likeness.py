"""How well people who are on a list twice are found, on public lists with known answers.

    python -m bench likeness --lists FOLDER

FOLDER holds the lists as their README files name them; those that are not there are left out.
"""

from __future__ import annotations

import csv
import gzip
import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import md5
from itertools import combinations
from pathlib import Path

from crm.analysis.likeness import Pair, find_pairs
from crm.analysis.place_likeness import PlacePair, compare_unions, find_place_pairs
from crm.domain.identity import fold
from crm.domain.likeness import Band, Known
from crm.domain.place_likeness import KnownPlace


@dataclass(frozen=True, slots=True)
class Quality:
    """How many pairs were suggested, how many of these are true, and how many true ones are."""

    suggested: int
    right: int
    true: int

    @property
    def precision(self) -> float | None:
        """Right of the suggested ones, 0 to 1; None when nothing was suggested."""
        return self.right / self.suggested if self.suggested else None

    @property
    def recall(self) -> float:
        """Right of the true ones, 0 to 1."""
        return self.right / self.true


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, plain or gzipped."""
    packed = path.suffix == ".gz"
    text = (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def true_pairs(cluster_of: dict[str, str]) -> set[frozenset[str]]:
    """Return the pairs of rows of one person."""
    clusters: defaultdict[str, list[str]] = defaultdict(list)
    for row, cluster in cluster_of.items():
        clusters[cluster].append(row)
    return {frozenset(pair) for rows in clusters.values() for pair in combinations(rows, 2)}


def quality(
    pairs: Iterable[Pair | PlacePair], ids: list[str], true: set[frozenset[str]]
) -> Quality:
    """Return the quality of suggested pairs."""
    found = {frozenset((ids[pair.first], ids[pair.second])) for pair in pairs}
    return Quality(len(found), len(found & true), len(true))


def _some(*texts: str | None) -> frozenset[str]:
    return frozenset(text for text in (fold(one or "") for one in texts) if text)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list with its answers: each row's id, what is known of it, and whose row it is."""

    ids: list[str]
    records: list[Known]
    true: set[frozenset[str]]


def _listed(rows: list[tuple[str, Known]], truth: Iterable[tuple[str, str]]) -> Listed:
    return Listed([one for one, _ in rows], [known for _, known in rows], true_pairs(dict(truth)))


def febrl(folder: Path, number: int, *, days: bool) -> Listed:
    """Return a Febrl list, without its social security numbers. days: with dates of birth."""
    where = ("street_number", "address_1", "suburb", "postcode")
    rows = [
        (
            row["row_id"],
            Known(
                names=(f"{row['given_name']} {row['surname']}",),
                addresses=_some(" ".join(row[part] for part in where)),
                days=_some(row["date_of_birth"]) if days else frozenset(),
            ),
        )
        for row in read_rows(folder / f"dataset{number}_input.csv.gz")
    ]
    truth = read_rows(folder / f"dataset{number}_truth.csv.gz")
    return _listed(rows, ((one["row_id"], one["cluster"]) for one in truth))


def fake_1000(folder: Path, *, days: bool) -> Listed:
    """Return the list of 1,000 fake people. days: with dates of birth."""
    rows = [
        (
            row["unique_id"],
            Known(
                names=(f"{row['first_name']} {row['surname']}",),
                mails=frozenset({row["email"].casefold()} - {""}),
                days=_some(row["dob"]) if days else frozenset(),
            ),
        )
        for row in read_rows(folder / "fake_1000_input.csv")
    ]
    truth = read_rows(folder / "fake_1000_truth.csv")
    return _listed(rows, ((one["unique_id"], one["cluster"]) for one in truth))


def historical(folder: Path, *, days: bool) -> Listed:
    """Return the list of historical people. days: with dates of birth."""
    rows = [
        (
            row["row_id"],
            Known(
                names=(row["full_name"],),
                addresses=_some(f"{row['birth_place']} {row['postcode_fake']}")
                if row["postcode_fake"]
                else frozenset(),
                days=_some(row["dob"]) if days else frozenset(),
            ),
        )
        for row in read_rows(folder / "people_input.csv.gz")
    ]
    truth = read_rows(folder / "people_truth.csv.gz")
    return _listed(rows, ((one["row_id"], one["cluster"]) for one in truth))


@dataclass(frozen=True, slots=True)
class ListedPlaces:
    """Workplaces with the known answers. ids: of each, in the same order."""

    places: list[KnownPlace]
    ids: list[str]
    true: set[frozenset[str]]


def chicago(folder: Path, half: int | None = None) -> ListedPlaces:
    """Return the sites of the Chicago lists, or those of one half of the true sites.

    The rules were set by looking at half 0; half 1 was not looked at.
    """
    site_of = {row["Id"]: row["True Id"] for row in read_rows(folder / "sites_truth.csv")}
    rows = [
        row
        for row in read_rows(folder / "sites_input.csv.gz")
        if half is None or _half_of(site_of[row["Id"]]) == half
    ]
    return ListedPlaces(
        places=[
            KnownPlace(row["Site name"], row["Address"] or None, row["Zip"] or None) for row in rows
        ],
        ids=[row["Id"] for row in rows],
        true=true_pairs({row["Id"]: site_of[row["Id"]] for row in rows}),
    )


def _half_of(key: str) -> int:
    return int(md5(key.encode(), usedforsecurity=False).hexdigest(), 16) % 2


def measure_places(listed: ListedPlaces) -> tuple[Quality, Quality]:
    """Return the quality of the sure pairs of workplaces, and that of all pairs."""
    pairs = find_place_pairs(listed.places)
    sure = [pair for pair in pairs if pair.likeness.band is Band.SURE]
    return quality(sure, listed.ids, listed.true), quality(pairs, listed.ids, listed.true)


def _chicago_half(folder: Path, half: int | None) -> tuple[Quality, Quality]:
    return measure_places(chicago(folder, half))


def measure_unions(folder: Path, half: int | None = None) -> tuple[Quality, Quality]:
    """Return the quality of what is surely, and of all that is perhaps, the same union.

    Each typed name is held against the full and the short registered name; the towns are not used.
    """
    found = {Band.SURE: [0, 0], Band.MAYBE: [0, 0]}
    true = 0
    for row in read_rows(folder / "pairs.csv"):
        if half is not None and _half_of(row["f7_union_name"]) != half:
            continue
        same = row["label"] == "match"
        true += same
        bands = {
            compare_unions(row["f7_union_name"], row[name])
            for name in ("olms_full_local_name", "olms_abbr_local_name")
        }
        for band, counted in found.items():
            if Band.SURE in bands or band in bands:
                counted[0] += 1
                counted[1] += same
    sure, every = (Quality(*counted, true) for counted in found.values())
    return sure, every


def lists_of(folder: Path) -> Iterator[tuple[str, Callable[..., Listed]]]:
    """Yield the name of each list that is in the folder, and what reads it with or without days."""
    for name, inside, read in (
        ("Febrl, set 1", "dedupe-febrl", partial(febrl, number=1)),
        ("Febrl, set 3", "dedupe-febrl", partial(febrl, number=3)),
        ("1,000 fake British people", "dedupe-splink-fake1000", fake_1000),
        ("Historical people", "dedupe-historical-50k-dev", historical),
    ):
        if (folder / inside).is_dir():
            yield name, partial(read, folder / inside)


def measure(listed: Listed) -> tuple[Quality, Quality, float]:
    """Return the quality of the sure pairs, that of all pairs, and the seconds it took."""
    start = time.perf_counter()
    pairs = find_pairs(listed.records)
    seconds = time.perf_counter() - start
    sure = [pair for pair in pairs if pair.likeness.band is Band.SURE]
    return (
        quality(sure, listed.ids, listed.true),
        quality(pairs, listed.ids, listed.true),
        seconds,
    )


def main(folder: Path) -> None:
    """Print the quality on each list that is in the folder."""
    print("list | dates of birth | sure: precision, recall | all: precision, recall | seconds")
    for name, read in lists_of(folder):
        for days in (True, False):
            sure, every, seconds = measure(read(days=days))
            parts = [name, "yes" if days else "no"]
            for one in (sure, every):
                precision = "-" if one.precision is None else f"{one.precision:.4f}"
                parts.append(f"{precision}, {one.recall:.4f}")
            print(" | ".join([*parts, f"{seconds:.2f}"]), flush=True)
    for name, inside, of in (
        (
            "Workplaces, Chicago",
            "dedupe-chicago-sites",
            lambda at, half: measure_places(chicago(at, half)),
        ),
        ("Names of unions", "union-name-pairs", measure_unions),
    ):
        for half in (None, 0, 1) if (folder / inside).is_dir() else ():
            parts = [name, "all" if half is None else f"half {half}"]
            for one in of(folder / inside, half):
                parts.append(f"{one.precision or 0:.4f}, {one.recall:.4f}")
            print(" | ".join(parts), flush=True)
