"""The app as other programs start it: gunicorn, and the flask command."""

from __future__ import annotations

from flask import Flask

from crm.app import create_app, load_settings
from crm.cli import report_group


def app() -> Flask:
    """Return the app with the settings of the environment.

    `flask --app crm.wsgi:app report ...` does the same as `crm report ...`. gunicorn calls what it
    is given only where brackets stand behind it: `crm.wsgi:app()`.
    """
    made = create_app(load_settings())
    made.cli.add_command(report_group)
    return made
