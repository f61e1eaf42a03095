"""The one blueprint that all pages about places belong to."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("workplaces", __name__, url_prefix="/places")
