"""Every table. Importing this package registers them all with the metadata."""

from crm.models import (
    accounts,
    audit,
    base,
    campaigns,
    cases,
    contacts,
    conversations,
    law,
    lists,
    merging,
    places,
    reports,
    search,
    sheets,
    tasks,
    turf,
)

__all__ = [
    "accounts",
    "audit",
    "base",
    "campaigns",
    "cases",
    "contacts",
    "conversations",
    "law",
    "lists",
    "merging",
    "places",
    "reports",
    "search",
    "sheets",
    "tasks",
    "turf",
]
