"""The screen's words for closed lists: one for each member, its own, however they are spelled."""

from __future__ import annotations

import enum

import pytest

import crm.models  # noqa: F401 - registers every table with the metadata
from crm.domain.assessment import Basis
from crm.domain.vocabulary import ContractType, HowKnown, MembershipSource
from crm.models.base import Base
from crm.web.labels import LABELS, label


def test_two_lists_with_the_same_value_keep_their_own_words() -> None:
    assert label(Basis.TOLD) == "Someone told us"
    assert label(ContractType.OTHER) == "Another kind"
    assert label(HowKnown.OTHER) == "Another way"
    assert label(HowKnown.UNION_LIST) == "From the union, with its permission"
    assert label(MembershipSource.UNION_LIST) == "The union’s list"


def test_a_list_without_words_is_missed() -> None:
    class _Unheard(enum.StrEnum):
        TOLD = "told"

    with pytest.raises(KeyError):
        label(_Unheard.TOLD)
    assert _Unheard.TOLD not in LABELS


# Told by a sentence of their own, never by a word of the list.
_WITHOUT_A_WORD = {"NoticeKind", "Verb"}


def test_every_list_that_a_column_is_chosen_from_has_its_words() -> None:
    kinds = {
        column.type.enum_class
        for table in Base.metadata.tables.values()
        for column in table.columns
        if getattr(column.type, "enum_class", None) is not None
    }
    missing = {
        str(member)
        for kind in kinds
        if kind.__name__ not in _WITHOUT_A_WORD
        for member in kind
        if member not in LABELS
    }
    assert missing == set()
