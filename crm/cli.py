"""Commands. Each states the scope it runs under and why."""

from __future__ import annotations


def main() -> None:
    """Run the crm command."""
