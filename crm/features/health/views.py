"""/healthz: the process answers. /readyz: it can do its work."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from dataclasses import dataclass, field

from flask import Blueprint, Flask, current_app
from flask.typing import ResponseReturnValue

from crm.access.scope import Scope
from crm.features.health import service
from crm.web import clock, migrating
from crm.web.db import unit_of_work
from crm.web.guard import public

log = logging.getLogger(__name__)
bp = Blueprint("health", __name__)


# Seconds for which one look is enough.
KEPT_FOR = 10.0


@dataclass(slots=True)
class _Readiness:
    """What the last look of this process found."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    looked_at: float = -KEPT_FOR
    faults: tuple[str, ...] = ()


def install(app: Flask) -> None:
    """Register the two addresses."""
    app.register_blueprint(bp)
    app.extensions["crm_readiness"] = _Readiness()


@bp.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """Answer that the process lives."""
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """Answer whether it can take a talk right now; the reason for a "no" is only logged."""
    faults = _faults_of_late()
    if faults:
        return "not ready\n", 503, {"Content-Type": "text/plain; charset=utf-8"}
    return "ready\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


def _faults_of_late() -> tuple[str, ...]:
    """Return what was found in the last seconds, looked at anew when that is too long ago.

    Anybody may ask, and each look is a durable write: one in ten seconds for each process is
    all that strangers can cause.
    """
    kept = current_app.extensions["crm_readiness"]
    with kept.lock:
        if time.monotonic() - kept.looked_at >= KEPT_FOR:
            kept.faults = _faults()
            kept.looked_at = time.monotonic()
            if kept.faults:
                log.error("not ready: %s", ", ".join(kept.faults))
        faults: tuple[str, ...] = kept.faults
        return faults


def _faults() -> tuple[str, ...]:
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
    return tuple(faults)
