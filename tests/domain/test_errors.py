"""Refusals are sentences whose template can be translated."""

from __future__ import annotations

import pytest

from crm.domain.errors import (
    AlreadyEnded,
    CrmError,
    DatesOutOfOrder,
    EditConflict,
    LoopInTree,
    NotFound,
    PermissionRefused,
    Refusal,
)


def test_a_refusal_keeps_its_template_apart_from_the_names_put_in() -> None:
    refusal = Refusal("%(name)s has 5%% too many.", name="Mill")
    assert str(refusal) == "Mill has 5% too many."
    assert refusal.message == "%(name)s has 5%% too many."
    assert refusal.params == {"name": "Mill"}


def test_a_refusal_without_a_sentence_cannot_be_made() -> None:
    with pytest.raises(ValueError, match=r"^A refusal needs a sentence that says what to do\.$"):
        Refusal()


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (DatesOutOfOrder(), "The end date is before the start date. Check both dates."),
        (AlreadyEnded(), "This has already ended. Start a new one if it has begun again."),
        (LoopInTree(), "A place cannot be inside itself. Choose a different parent."),
        (AlreadyEnded("This job ended on %(day)s.", day="1 May"), "This job ended on 1 May."),
    ],
)
def test_each_named_refusal_says_what_to_do(refusal: Refusal, sentence: str) -> None:
    assert str(refusal) == sentence


def test_an_edit_conflict_carries_both_versions_and_later_changes_do_not_reach_it() -> None:
    stored: dict[str, object] = {"name": "Mill"}
    conflict = EditConflict(current=stored, yours={"name": "The Mill"})
    stored["name"] = "changed"
    assert (conflict.current, conflict.yours) == ({"name": "Mill"}, {"name": "The Mill"})
    assert str(conflict) == (
        "Someone else changed this while you were working. "
        "Look at both versions, then save the one you want."
    )


def test_not_found_and_no_permission_are_not_refusals_for_a_form_to_show() -> None:
    assert issubclass(NotFound, CrmError)
    assert not issubclass(NotFound, Refusal)
    assert issubclass(PermissionRefused, CrmError)
    assert not issubclass(PermissionRefused, Refusal)
