"""Passphrases: the strength of the hash, what is refused, what is offered."""

from __future__ import annotations

import threading
import time

import pytest

from crm.features.accounts import passphrases
from crm.features.accounts.passphrases import WeakPassphrase, refuse_weak

_REPEATS = "This repeats itself, so it is easy to guess. Use several different words."
_EASY = (
    "This is easy to guess: it is made of common words, your name or keys in a row. "
    "Use several words that have nothing to do with you."
)
_SHORT = "Use 12 letters or more. Several words together are best."


def test_hashes_are_argon2id_with_64_mib_and_three_passes(real_hasher: None) -> None:
    stored = passphrases.hash_passphrase("lantern copper otter mill")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert passphrases.verify(stored, "lantern copper otter mill")
    assert not passphrases.verify(stored, "lantern copper otter mills")


def test_a_hash_with_weaker_settings_is_due_for_a_new_one(real_hasher: None) -> None:
    from tests.features.accounts.signing import CHEAP

    assert passphrases.needs_rehash(CHEAP.hash("lantern copper otter mill"))
    assert not passphrases.needs_rehash(passphrases._nobody())


def test_nobody_has_a_hash_of_the_same_settings_that_nothing_opens(real_hasher: None) -> None:
    assert passphrases._nobody().startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert not passphrases.verify(None, "")
    assert not passphrases.verify(None, "lantern copper otter mill")


def test_a_user_without_a_hash_costs_as_much_time_as_one_with(real_hasher: None) -> None:
    stored = passphrases.hash_passphrase("lantern copper otter mill")
    passphrases.verify(None, "warm up")

    def _least(hashed: str | None) -> float:
        times = []
        for _ in range(3):
            begun = time.perf_counter()
            passphrases.verify(hashed, "wrong passphrase here")
            times.append(time.perf_counter() - begun)
        return min(times)

    known, unknown = _least(stored), _least(None)
    assert unknown > known / 2
    assert known > unknown / 2


def test_a_spoilt_hash_in_the_database_opens_for_nobody() -> None:
    assert not passphrases.verify("not a hash", "lantern copper otter mill")


def test_accents_composed_or_not_and_outer_spaces_are_the_same_passphrase() -> None:
    stored = passphrases.hash_passphrase("caf\u00e9 lantern otter ")
    assert passphrases.verify(stored, " cafe\u0301 lantern otter")


def test_at_most_two_hashes_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = 0, 0, threading.Lock()

    class _Slow:
        memory_cost, time_cost = 8, 1

        def hash(self, text: str) -> str:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return "x"

    monkeypatch.setattr(passphrases, "_HASHER", _Slow())
    threads = [threading.Thread(target=passphrases.hash_passphrase, args=("a",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


@pytest.mark.parametrize("text", ["", "short", "elevenchars", "   eleven ch    "])
def test_fewer_than_12_letters_are_refused(text: str) -> None:
    with pytest.raises(WeakPassphrase) as refused:
        refuse_weak(text)
    assert str(refused.value) == _SHORT


def test_more_than_200_letters_are_refused() -> None:
    with pytest.raises(WeakPassphrase) as refused:
        refuse_weak("lantern copper " * 20)
    assert str(refused.value) == "Use 200 letters or fewer."


@pytest.mark.parametrize(
    "text",
    ["aaaaaaaaaaaa", "abababababab", "lantern lantern lantern", "!!!!!!!!!!!!", "123123123123"],
)
def test_repeats_are_refused(text: str) -> None:
    with pytest.raises(WeakPassphrase) as refused:
        refuse_weak(text)
    assert str(refused.value) == _REPEATS


@pytest.mark.parametrize(
    "text",
    [
        "password123456",
        "Password1234!!",
        "qwertyuiop1234",
        "abcdefghijklmnop",
        "letmein2026letmein!",
        "correct horse battery staple",
        "liverpool2026!",
        "unionunion12shopfloor",
        "Danuta Nowak 1987",
        "123456789012",
        "poiuytrewq98",
    ],
)
def test_what_is_guessed_first_is_refused(text: str) -> None:
    with pytest.raises(WeakPassphrase) as refused:
        refuse_weak(text, names=("Danuta Nowak", "danuta nowak"))
    assert str(refused.value) == _EASY


@pytest.mark.parametrize(
    "text",
    [
        "lantern copper otter mill",
        "my cat eats toast at noon",
        "ulubiona herbata z cytryn\u0105",
        "\u043c\u043e\u044f \u0441\u043e\u0431\u0430\u043a\u0430 \u043b\u044e\u0431\u0438\u0442",
        "k7#Vz!q9Lm2$",
    ],
)
def test_long_and_unusual_ones_are_taken_in_any_script(text: str) -> None:
    assert refuse_weak(text, names=("Danuta Nowak", "danuta nowak")) is None


def test_suggestions_are_six_words_of_a_list_of_at_least_1024_different_plain_ones() -> None:
    words = passphrases.word_list()
    assert len(words) >= 1024
    assert len(set(words)) == len(words)
    assert all(word.isascii() and word.islower() and word.isalpha() for word in words)
    for _ in range(200):
        offered = passphrases.suggestion()
        assert len(offered.split()) == 6
        assert set(offered.split()) <= set(words)
        refuse_weak(offered)
    assert passphrases.suggestion() != passphrases.suggestion()
