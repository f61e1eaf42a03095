"""The words for what was written after two records were made one."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _

TABLES: dict[str, Any] = {
    "assessment": _("Where they stand"),
    "contact_answer": _("Answers to fields"),
    "contact_point": _("Phones, emails or addresses"),
    "conversation": _("Talks"),
    "field_basis": _("Why we may keep it"),
    "follow_up": _("Reminders"),
    "group_member": _("Groups"),
    "job": _("Jobs"),
    "leading": _("Found to be a leader"),
    "membership": _("Union membership"),
    "tie": _("Whom they listen to"),
    "turf_person": _("Who looks after them"),
}
