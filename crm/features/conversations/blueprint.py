"""The one blueprint that the pages of the log, the phone and the sheets of paper belong to."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("conversations", __name__)
