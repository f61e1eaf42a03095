"""Starting the embedded server: where it listens, what it prints, when it refuses."""

from __future__ import annotations

import ipaddress
from typing import Any

from flask import Flask
from waitress.server import create_server

MIB = 1024 * 1024


class NotSafe(SystemExit):
    """The server would be reachable by others without encryption."""


def check_address(app: Flask, host: str) -> None:
    """Raise NotSafe when the server would listen beyond this machine without TLS in front."""
    if is_loopback(host) or str(app.config["PUBLIC_URL"]).startswith("https://"):
        return
    raise NotSafe(
        "Others could reach this address, and nothing would be encrypted. Leave --host out, or "
        "put a proxy with TLS in front and set SHOPFLOOR_PUBLIC_URL to its https address."
    )


def is_loopback(host: str) -> bool:
    """Return True when only this machine can reach the host name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(app: Flask, *, host: str, port: int, threads: int = 8) -> object:
    """Return a server that has taken the port but does not serve yet.

    Raises OSError when the port is taken.
    """
    proxies = int(app.config["PROXY_COUNT"])
    # The server refuses to be told of proxies that there are none of.
    behind: dict[str, Any] = (
        {
            "trusted_proxy": "*",
            "trusted_proxy_count": proxies,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
        }
        if proxies
        else {}
    )
    return create_server(
        app,
        host=host,
        port=port,
        threads=threads,
        ident=None,  # No Server header.
        # No smaller than the longest list that a page takes, with what stands around the file.
        max_request_body_size=int(app.config["LIST_LIMIT"]) + MIB,
        channel_timeout=60,
        clear_untrusted_proxy_headers=True,
        **behind,
    )
