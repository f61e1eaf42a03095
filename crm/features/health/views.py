"""/healthz: the process answers. /readyz: it can do its work."""

from __future__ import annotations

import logging
import shutil

from flask import Blueprint, Flask, current_app
from flask.typing import ResponseReturnValue

from crm.access.scope import Scope
from crm.features.health import service
from crm.web import clock, migrating
from crm.web.db import unit_of_work
from crm.web.guard import public

log = logging.getLogger(__name__)
bp = Blueprint("health", __name__)


def install(app: Flask) -> None:
    """Register the two addresses."""
    app.register_blueprint(bp)


@bp.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """Answer that the process lives."""
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """Answer whether it can take a talk right now; the reason for a "no" is only logged."""
    faults = _faults()
    if faults:
        log.error("not ready: %s", ", ".join(faults))
        return "not ready\n", 503, {"Content-Type": "text/plain; charset=utf-8"}
    return "ready\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


def _faults() -> list[str]:
    faults = []
    free = shutil.disk_usage(current_app.config["INSTANCE_FOLDER"]).free
    if free < current_app.config["MINIMUM_FREE_DISK"]:
        faults.append("disk nearly full")
    # Whatever goes wrong in the database, the answer is "not ready" and never a traceback.
    try:
        if not migrating.is_current():
            faults.append("tables are not the newest")
        else:
            scope = Scope.everything(reason="readiness probe")
            with unit_of_work(scope) as session:
                if not service.write_probe(session, scope, now=clock.now()):
                    faults.append("the clock has gone back")
    except Exception as error:  # noqa: BLE001 - see the comment above
        faults.append(f"database: {type(error).__name__}")
    return faults
