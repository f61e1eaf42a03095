"""Settings read from the environment; refuses to start on a missing or weak value."""

from __future__ import annotations

import ipaddress
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MIB = 1024 * 1024


class BadSetting(SystemExit):
    """A setting is missing or unsafe; the message says which and what to do."""


def load(env: Mapping[str, str], *, practice: bool = False) -> dict[str, Any]:
    """Return Flask settings built from environment variables.

    env: usually ``os.environ``. practice: True keeps everything in a second
    database with invented people, so practice can never touch real records.
    Raises BadSetting with a sentence that says what to change.
    """
    folder = Path(env.get("SHOPFLOOR_INSTANCE") or "instance").resolve()
    _private_folder(folder)
    url = env.get("SHOPFLOOR_DATABASE_URL") or env.get("DATABASE_URL") or ""
    if practice:
        # A practice server never opens the real database, whatever the environment says.
        url = env.get("SHOPFLOOR_PRACTICE_DATABASE_URL") or ""
    if not url:
        url = f"sqlite:///{folder / ('practice.db' if practice else 'shopfloor.db')}"
    public_url = env.get("SHOPFLOOR_PUBLIC_URL", "").rstrip("/")
    secret_name = "practice-secret" if practice else "secret"
    secret_file = Path(env.get("SHOPFLOOR_SECRET_FILE") or folder / secret_name)
    secret, *older_secrets = _secrets(secret_file)
    return {
        "SECRET_KEY": secret,
        # What was signed or sealed with these is still understood; nothing new is made with them.
        "SECRET_KEY_FALLBACKS": older_secrets,
        "DATABASE_URL": _database_url(url),
        "DATABASE_KEY": _database_key(env.get("SHOPFLOOR_KEY_FILE", "")),
        "PUBLIC_URL": _public_url(public_url),
        "TRUSTED_HOSTS_LIST": _hosts(public_url, env.get("SHOPFLOOR_HOSTS", "")),
        "PROXY_COUNT": _whole(env, "SHOPFLOOR_PROXIES", 0),
        "PRACTICE": practice,
        "INSTANCE_FOLDER": str(folder),
        "ORGANISATION": env.get("SHOPFLOOR_ORGANISATION", "Shopfloor"),
        "LANGUAGES": [
            code
            for code in env.get("SHOPFLOOR_LANGUAGES", "en").replace(" ", "").split(",")
            if code
        ],
        "TRANSLATIONS": env.get("SHOPFLOOR_TRANSLATIONS", ""),
        "TIME_ZONE": env.get("SHOPFLOOR_TIME_ZONE", "Europe/London"),
        "EXPIRY_DAYS": _expiry(env),
        "MAX_CONTENT_LENGTH": 64 * 1024,
        "MAX_FORM_MEMORY_SIZE": 64 * 1024,
        "MAX_FORM_PARTS": 300,
        "UPLOAD_LIMIT": 6 * MIB,
        # A million people with their phones and workplaces. Only who may import sends as much.
        "LIST_LIMIT": 96 * MIB,
        "MINIMUM_FREE_DISK": _whole(env, "SHOPFLOOR_MINIMUM_FREE_DISK_MIB", 200) * MIB,
        "RUN_WORKER": env.get("SHOPFLOOR_WORKER", "inside") == "inside",
    }


def _private_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_mode & stat.S_ISVTX:
        # /tmp and its like: closing it to all others would stop other programs.
        raise BadSetting(
            "All programs of this machine share the instance folder. Give Shopfloor one of its own."
        )
    if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        try:
            folder.chmod(0o700)
        except OSError as error:
            raise BadSetting(
                "The instance folder can be read by other users of this machine. "
                "Run chmod 700 on it and start again."
            ) from error


def _secrets(path: Path) -> list[str]:
    """Return the server's secrets, one a line: the present one first, then those before it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    found = [line.strip() for line in lines if line.strip()]
    if not found or any(len(one) < 32 for one in found):
        raise BadSetting(
            "The secret file holds fewer than 32 characters. "
            "Delete it so that a new one is made, or put a longer secret in it."
        )
    return found


def _database_url(url: str) -> str:
    if url.startswith("postgres://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgres://")
    if url.startswith("postgresql://"):
        url = "postgresql+psycopg://" + url.removeprefix("postgresql://")
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise BadSetting(
            "DATABASE_URL must start with sqlite:/// or postgresql+psycopg://. Correct it."
        )
    return url


def _database_key(key_file: str) -> str | None:
    if not key_file:
        return None
    path = Path(key_file)
    if not path.exists():
        raise BadSetting("SHOPFLOOR_KEY_FILE names a file that is not there. Check the path.")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BadSetting("The key file can be read by other users. Run chmod 600 on it.")
    key = path.read_text(encoding="ascii", errors="replace").strip().lower()
    if len(key) != 64 or any(letter not in "0123456789abcdef" for letter in key):
        raise BadSetting(
            "The key file must hold 64 hexadecimal characters (32 random bytes). "
            "Make one with: openssl rand -hex 32"
        )
    return key


def _public_url(url: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadSetting("SHOPFLOOR_PUBLIC_URL must look like https://name.example.org.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise BadSetting(
            "SHOPFLOOR_PUBLIC_URL uses plain http beyond this machine. Use https: "
            "on plain http anyone on the same network can read who is in the union."
        )
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _hosts(public_url: str, extra: str) -> list[str]:
    hosts = ["127.0.0.1", "localhost", "[::1]"]
    if public_url:
        hosts.append(urlsplit(public_url).hostname or "")
    hosts += [host.strip() for host in extra.split(",") if host.strip()]
    return hosts


def _expiry(env: Mapping[str, str]) -> tuple[int, int]:
    """Return for how many days an assessment is fresh, and after how many it has expired."""
    fresh = _whole(env, "SHOPFLOOR_FRESH_DAYS", 60)
    stale = _whole(env, "SHOPFLOOR_STALE_DAYS", 120)
    if fresh > stale:
        raise BadSetting(
            "SHOPFLOOR_FRESH_DAYS is above SHOPFLOOR_STALE_DAYS. An assessment is fresh first, "
            "then stale, then expired: make the second number the larger one."
        )
    return fresh, stale


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not text.isdigit():
        raise BadSetting(f"{name} must be a whole number. Correct it and start again.")
    return int(text)
