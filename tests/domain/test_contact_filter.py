"""A filter is the same value in an address, in a stored list and in the program."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.domain.contact_filter import (
    EVERYBODY,
    NAMES,
    Compare,
    ContactFilter,
    FieldTest,
    MemberFilter,
    NotAFilter,
    Reminder,
    Stand,
    from_words,
)
from crm.domain.vocabulary import ISSUES

_WORDS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1)
_ID = st.none() | st.uuids()
_FIELDS = st.builds(
    FieldTest,
    st.uuids(),
    st.sampled_from([Compare.IS, Compare.AT_LEAST, Compare.AT_MOST]),
    _WORDS.filter(lambda text: len(text) <= 300),
) | st.builds(FieldTest, st.uuids(), st.just(Compare.NOT_KNOWN))
_FILTERS = st.builds(
    ContactFilter,
    text=_WORDS.filter(lambda text: len(text) <= 100) | st.just(""),
    place=_ID,
    shift=_ID,
    employer=_ID,
    union=_ID,
    stands=st.frozensets(st.sampled_from(Stand)),
    member=st.none() | st.sampled_from(MemberFilter),
    leader=st.booleans(),
    tag=_ID,
    field=st.none() | _FIELDS,
    quiet_days=st.none() | st.integers(1, 3650),
    reminder=st.none() | st.sampled_from(Reminder),
    issue=st.none() | st.sampled_from(ISSUES),
    no_task=st.booleans(),
)


@given(_FILTERS)
def test_a_filter_comes_back_from_its_words_and_from_storage(chosen: ContactFilter) -> None:
    assert from_words(chosen.words()) == chosen
    assert from_words(json.loads(json.dumps(chosen.words())), strict=True) == chosen
    assert set(chosen.words()) <= NAMES
    assert chosen.keeps_everybody is (chosen.words() == {})


def test_empty_words_and_words_of_the_page_mean_nothing() -> None:
    assert from_words({"q": [""], "place": [""], "page": ["3"], "as_at": ["2026-01-01"]}) == (
        EVERYBODY
    )


@pytest.mark.parametrize(
    "words",
    [
        {"place": ["not-an-id"]},
        {"stand": ["6"]},
        {"stand": ["1", "best"]},
        {"member": ["perhaps"]},
        {"reminder": ["soon"]},
        {"issue": ["weather"]},
        {"quiet": ["0"]},
        {"quiet": ["-5"]},
        {"quiet": ["many"]},
        {"quiet": ["99999"]},
        {"q": ["a" * 101]},
        {"q": ["a\x07b"]},
        {"q": ["one", "two"]},
        {"field": ["x"]},
        {"field": [str(uuid.UUID(int=1))]},
        {"field": [str(uuid.UUID(int=1))], "how": ["about"], "value": ["3"]},
        {"field": [str(uuid.UUID(int=1))], "how": ["not_known"], "value": ["3"]},
    ],
)
def test_what_is_no_filter_is_refused_and_never_widened(words: dict[str, list[str]]) -> None:
    with pytest.raises(NotAFilter):
        from_words(words)


def test_a_stored_list_with_a_part_of_a_later_program_is_not_understood() -> None:
    with pytest.raises(NotAFilter):
        from_words({"stand": ["1"], "astrological_sign": ["leo"]}, strict=True)
