"""Settings: what is made at the first start, and what a start is refused for."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

import config

KEY = "0123456789abcdef" * 4


def _env(folder: Path, **more: str) -> dict[str, str]:
    return {"SHOPFLOOR_INSTANCE": str(folder), **more}


def test_with_nothing_set_the_records_are_in_a_private_folder(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    settings = config.load(_env(folder))
    assert settings["DATABASE_URL"] == f"sqlite:///{folder}/shopfloor.db"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600


def test_a_folder_that_all_programs_share_is_refused_and_stays_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(config.BadSetting, match="Give Shopfloor one of its own"):
        config.load({"SHOPFLOOR_INSTANCE": str(tmp_path)})
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


def test_the_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    first = config.load(_env(tmp_path))["SECRET_KEY"]
    assert len(first) == 64
    assert config.load(_env(tmp_path))["SECRET_KEY"] == first


def test_an_older_secret_is_kept_below_the_present_one(tmp_path: Path) -> None:
    new, old = "n" * 64, "o" * 64
    (tmp_path / "secret").write_text(f"{new}\n{old}\n")
    settings = config.load(_env(tmp_path))
    assert settings["SECRET_KEY"] == new
    assert settings["SECRET_KEY_FALLBACKS"] == [old]
    (tmp_path / "secret").write_text(f"{new}\nshort\n")
    with pytest.raises(config.BadSetting, match="fewer than 32 characters"):
        config.load(_env(tmp_path))


def test_practice_never_opens_the_real_database_or_uses_its_secret(tmp_path: Path) -> None:
    env = _env(tmp_path, DATABASE_URL="postgresql://real.example.org/records")
    real, practice = config.load(env), config.load(env, practice=True)
    assert real["DATABASE_URL"] == "postgresql+psycopg://real.example.org/records"
    assert practice["DATABASE_URL"] == f"sqlite:///{tmp_path}/practice.db"
    assert practice["SECRET_KEY"] != real["SECRET_KEY"]
    assert (real["PRACTICE"], practice["PRACTICE"]) == (False, True)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "DATABASE_URL",
            "mysql://somewhere/records",
            "DATABASE_URL must start with sqlite:/// or postgresql+psycopg://. Correct it.",
        ),
        (
            "SHOPFLOOR_PUBLIC_URL",
            "http://shopfloor.example.org",
            (
                "SHOPFLOOR_PUBLIC_URL uses plain http beyond this machine. Use https: "
                "on plain http anyone on the same network can read who is in the union."
            ),
        ),
        (
            "SHOPFLOOR_PUBLIC_URL",
            "shopfloor.example.org",
            "SHOPFLOOR_PUBLIC_URL must look like https://name.example.org.",
        ),
        (
            "SHOPFLOOR_KEY_FILE",
            "/no/such/file",
            "SHOPFLOOR_KEY_FILE names a file that is not there. Check the path.",
        ),
        (
            "SHOPFLOOR_PROXIES",
            "one",
            "SHOPFLOOR_PROXIES must be a whole number. Correct it and start again.",
        ),
        (
            "SHOPFLOOR_FRESH_DAYS",
            "121",
            (
                "SHOPFLOOR_FRESH_DAYS is above SHOPFLOOR_STALE_DAYS. An assessment is fresh first, "
                "then stale, then expired: make the second number the larger one."
            ),
        ),
    ],
)
def test_a_weak_setting_is_refused_with_what_to_do(
    tmp_path: Path, name: str, value: str, words: str
) -> None:
    with pytest.raises(config.BadSetting) as refused:
        config.load(_env(tmp_path, **{name: value}))
    assert str(refused.value) == words


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("too short")
    with pytest.raises(config.BadSetting) as refused:
        config.load(_env(tmp_path))
    assert str(refused.value) == (
        "The secret file holds fewer than 32 characters. "
        "Delete it so that a new one is made, or put a longer secret in it."
    )


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (KEY, 0o644, "The key file can be read by other users. Run chmod 600 on it."),
        (
            "swordfish",
            0o600,
            (
                "The key file must hold 64 hexadecimal characters (32 random bytes). "
                "Make one with: openssl rand -hex 32"
            ),
        ),
    ],
)
def test_a_key_that_others_can_read_or_guess_is_refused(
    tmp_path: Path, text: str, mode: int, words: str
) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(text)
    key_file.chmod(mode)
    with pytest.raises(config.BadSetting) as refused:
        config.load(_env(tmp_path / "instance", SHOPFLOOR_KEY_FILE=str(key_file)))
    assert str(refused.value) == words


def test_a_good_key_is_taken(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(KEY.upper() + "\n")
    key_file.chmod(0o600)
    found = config.load(_env(tmp_path / "instance", SHOPFLOOR_KEY_FILE=str(key_file)))
    assert found["DATABASE_KEY"] == KEY


def test_how_long_an_assessment_counts_can_be_set(tmp_path: Path) -> None:
    assert config.load(_env(tmp_path))["EXPIRY_DAYS"] == (60, 120)
    found = config.load(_env(tmp_path, SHOPFLOOR_FRESH_DAYS="14", SHOPFLOOR_STALE_DAYS="28"))
    assert found["EXPIRY_DAYS"] == (14, 28)
