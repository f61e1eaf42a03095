"""Takes a list through the wizard as a person does, page by page."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from crm.web import tasks
from tests.factories import TODAY


def as_csv(rows: Sequence[Sequence[Any]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def upload(
    client: FlaskClient, content: bytes, name: str = "list.csv", **more: str
) -> TestResponse:
    data: dict[str, Any] = {"kind": "people", "origin": "our_own", **more}
    return client.post("/import", data={**data, "file": (io.BytesIO(content), name)})


def form_of(client: FlaskClient, path: str, form_id: str) -> dict[str, str]:
    """Return what a form holds when nobody has touched it, as a browser would send it."""
    page = client.get(path).text
    found = re.search(rf'<form[^>]*id="{form_id}".*?</form>', page, re.DOTALL)
    assert found, page[:3000]
    values: dict[str, str] = {}
    for name, body in re.findall(
        r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', found[0], re.DOTALL
    ):
        chosen = re.search(r'<option selected value="([^"]*)"', body)
        first = re.search(r'<option[^>]*value="([^"]*)"', body)
        values[name] = (chosen or first)[1] if chosen or first else ""  # type: ignore[index]
    for tag in re.findall(r"<input[^>]*>", found[0]):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name is None or (("checkbox" in tag or "radio" in tag) and "checked" not in tag):
            continue
        values[name[1]] = value[1] if value else ""
    return values


def matching(client: FlaskClient, path: str) -> dict[str, str]:
    """Return what the matching form holds, with the day that only a person can say."""
    held = form_of(client, path, "matching")
    return {**held, "as_at": held["as_at"] or TODAY.isoformat()} if "as_at" in held else held


def match(client: FlaskClient, path: str, **chosen: str) -> TestResponse:
    """Send the matching form with some answers changed."""
    answer = client.post(path, data={**matching(client, path), **chosen})
    assert answer.status_code == 303, answer.text
    return answer


def to_check(
    client: FlaskClient, content: bytes, values: dict[str, str] | None = None, **chosen: str
) -> str:
    """Upload and match a list, and take the meanings that were guessed; return its address."""
    sent = upload(client, content)
    assert sent.status_code == 303, sent.text
    answer = match(client, sent.location, **chosen)
    if answer.location.endswith("/values"):
        data = {**form_of(client, answer.location, "values"), **(values or {})}
        answer = client.post(answer.location, data=data)
        assert answer.status_code == 303, answer.text
    assert answer.location.endswith("/check"), answer.location
    return answer.location.removesuffix("/check")


def start(app: Flask, client: FlaskClient, path: str, **more: str) -> None:
    """Press Import, and let the worker do it."""
    data = {**form_of(client, f"{path}/check", "start"), **more}
    answer = client.post(f"{path}/start", data=data)
    assert answer.status_code == 303, answer.text
    assert tasks.run_one(app)


def undo(app: Flask, client: FlaskClient, path: str) -> None:
    assert client.post(f"{path}/undo").status_code == 303
    assert tasks.run_one(app)


def counts(client: FlaskClient, path: str) -> dict[str, int]:
    """Return the figures that a page shows, by their labels."""
    page = client.get(path).text
    found = re.findall(
        r'wc-figure__value">(?:<a[^>]*>)?([\d,]+)(?:</a>)?</p>\s*'
        r'<p class="wc-figure__label">([^<]+)</p>',
        page,
    )
    return {label: int(number.replace(",", "")) for number, label in found}


def figures(found: dict[str, int]) -> tuple[int, int, int]:
    """Return new, changed and as before."""
    return found["New"], found["Changed"], found["As before"]
