"""What density, the wall, Today and the search must ask of the database at the least, by hand.

Literals are put in by us, from whole numbers and dates: one text for both databases and drivers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta


def table_sql(node_id: int, day: date) -> str:
    """Return the statement for members, not members and not known of each workplace inside the
    node as at the day, each with its latest headcount."""
    return f"""
    SELECT p.id, p.public_id, p.name, h.low, h.best, h.high, c.members, c.others, c.unknown
    FROM place_closure k
    JOIN place p ON p.id = k.descendant_id AND p.kind = 'workplace'
    LEFT JOIN (
      SELECT workplace_id,
        count(DISTINCT CASE WHEN member THEN contact_id END) AS members,
        count(DISTINCT CASE WHEN NOT member THEN contact_id END) AS others,
        count(DISTINCT CASE WHEN member IS NULL THEN contact_id END) AS unknown
      FROM state_span
      WHERE from_day <= '{day}' AND to_day > '{day}'
        AND place_id IN (SELECT descendant_id FROM place_closure WHERE ancestor_id = {node_id})
      GROUP BY workplace_id
    ) c ON c.workplace_id = p.id
    LEFT JOIN headcount h ON h.id = (
      SELECT id FROM headcount
      WHERE place_id = p.id AND counts = 'site_all' AND on_day <= '{day}'
        AND superseded_at IS NULL
      ORDER BY on_day DESC, recorded_at DESC LIMIT 1
    )
    WHERE k.ancestor_id = {node_id}
    ORDER BY p.name"""


def trend_sql(node_id: int, days: Sequence[date], dialect: str) -> str:
    """Return the statement for the people in each state as at each of the days."""
    # SQLite keeps days as text; a cast to DATE there would turn them into numbers.
    kind = "DATE" if dialect == "postgresql" else "TEXT"
    rows = ", ".join(f"(CAST('{day}' AS {kind}))" for day in days)
    return f"""
    WITH d(day) AS (VALUES {rows})
    SELECT d.day, s.member, count(DISTINCT s.contact_id)
    FROM d JOIN state_span s ON s.from_day <= d.day AND s.to_day > d.day
    WHERE s.place_id IN (SELECT descendant_id FROM place_closure WHERE ancestor_id = {node_id})
    GROUP BY d.day, s.member"""


def moves_sql(node_id: int, since: date, until: date) -> str:
    """Return the statement for how many people of the workplaces inside the node were there, and
    members, on both days, from the dated facts."""

    def _on(table: str, day: date) -> str:
        return (
            f"{table}.valid_from <= '{day}' AND ({table}.valid_to IS NULL "
            f"OR {table}.valid_to > '{day}')"
        )

    def _state(day: date) -> str:
        return (
            f"max(CASE WHEN m.status = 'member' AND {_on('m', day)} THEN 2 "
            f"WHEN m.union_id IS NULL AND {_on('m', day)} THEN 1 ELSE 0 END)"
        )

    either = {table: f"(({_on(table, since)}) OR ({_on(table, until)}))" for table in ("j", "m")}
    return f"""
    SELECT here_before, before, here_after, after, count(*) FROM (
      SELECT max(CASE WHEN {_on("j", since)} THEN 1 ELSE 0 END) AS here_before,
        {_state(since)} AS before,
        max(CASE WHEN {_on("j", until)} THEN 1 ELSE 0 END) AS here_after,
        {_state(until)} AS after
      FROM job j
      LEFT JOIN membership m ON m.contact_id = j.contact_id AND m.superseded_at IS NULL
        AND {either["m"]}
      WHERE j.superseded_at IS NULL AND {either["j"]}
        AND j.place_id IN (SELECT descendant_id FROM place_closure WHERE ancestor_id = {node_id})
      GROUP BY j.contact_id
    ) moved
    GROUP BY here_before, before, here_after, after"""


def wall_sql(node_id: int, workplace_id: int, day: date) -> str:
    """Return the statement for everybody at a workplace as at the day: where they work and stand,
    their last talk, a yes once, a reminder still open, and whether they lead.

    node_id: the place whose people the reader may see.
    """
    return f"""
    SELECT j.contact_id, j.place_id, j.shift_id, j.job_title, j.employer_of_record_id,
      c.public_id, c.known_as, c.placeholder_label, c.do_not_contact,
      s.score, s.score_firm, s.scored_on, s.member,
      (SELECT max(day) FROM conversation
       WHERE contact_id = j.contact_id AND day <= '{day}') AS last_talk_on,
      EXISTS (SELECT 1 FROM conversation
              WHERE contact_id = j.contact_id AND day <= '{day}' AND answer = 'yes'
                AND asked <> 'nothing') AS said_yes,
      EXISTS (SELECT 1 FROM follow_up
              WHERE contact_id = j.contact_id AND done_at IS NULL) AS has_task,
      (SELECT max(stage) FROM "leading"
       WHERE contact_id = j.contact_id AND workplace_id = j.workplace_id
         AND superseded_at IS NULL AND valid_from <= '{day}'
         AND (valid_to IS NULL OR valid_to > '{day}')) AS stage
    FROM job j
    JOIN contact c ON c.id = j.contact_id
    JOIN state_span s ON s.contact_id = j.contact_id AND s.place_id = j.place_id
      AND s.from_day <= '{day}' AND s.to_day > '{day}'
    JOIN place_closure k ON k.descendant_id = j.place_id AND k.ancestor_id = {node_id}
    WHERE j.workplace_id = {workplace_id} AND j.superseded_at IS NULL
      AND j.valid_from <= '{day}' AND (j.valid_to IS NULL OR j.valid_to > '{day}')"""


def ties_sql(workplace_id: int, day: date) -> str:
    """Return the statement for who listens to whom at a workplace as at the day."""
    return f"""
    SELECT contact_id, leader_id, said_by_id FROM tie
    WHERE workplace_id = {workplace_id} AND superseded_at IS NULL
      AND valid_from <= '{day}' AND (valid_to IS NULL OR valid_to > '{day}')"""


def to_speak_to_sql(node_id: int, user: str, day: date) -> str:
    """Return the statement for the first three people to speak to inside the node, and how many
    there are: never asked first, then the oldest talk; not those of a reminder of the user's own,
    nor of the last seven days. user: a sign-in name."""
    return f"""
    SELECT c.public_id, c.known_as, c.placeholder_label, s.score, t.day, count(*) OVER () AS total
    FROM (
      SELECT contact_id, min(id) AS id FROM state_span
      WHERE from_day <= '{day}' AND to_day > '{day}' AND {_inside(node_id)}
      GROUP BY contact_id
    ) f
    JOIN state_span s ON s.id = f.id
    JOIN contact c ON c.id = f.contact_id
    LEFT JOIN (
      SELECT contact_id, max(day) AS day FROM conversation
      WHERE withdrawn_at IS NULL AND {_inside(node_id)} GROUP BY contact_id
    ) t ON t.contact_id = c.id
    WHERE NOT c.do_not_contact
      AND (t.day IS NULL OR t.day <= '{day - timedelta(days=7)}')
      AND NOT EXISTS (
        SELECT 1 FROM follow_up
        WHERE contact_id = c.id AND done_at IS NULL AND withdrawn_at IS NULL
          AND owner_id = {_user(user)}
      )
    ORDER BY s.score IS NOT NULL, t.day IS NOT NULL, t.day, c.name_key, c.id
    LIMIT 3"""


def week_sql(node_id: int, user: str, day: date) -> str:
    """Return the statement for the talks of the week inside the node: the user's own, all, and
    with how many people."""
    monday = day - timedelta(days=day.weekday())
    return f"""
    SELECT count(CASE WHEN held_by_id = {_user(user)} THEN 1 END), count(*),
      count(DISTINCT contact_id)
    FROM conversation
    WHERE day >= '{monday}' AND day <= '{day}' AND withdrawn_at IS NULL AND {_inside(node_id)}"""


def asked_sql(node_id: int, day: date) -> str:
    """Return the statement for the people on the list today and how many of them were asked."""
    return f"""
    SELECT count(DISTINCT contact_id),
      count(DISTINCT CASE WHEN score IS NOT NULL THEN contact_id END)
    FROM state_span
    WHERE from_day <= '{day}' AND to_day > '{day}' AND {_inside(node_id)}"""


def search_sql(node_id: int, text: str, day: date) -> str:
    """Return the statement for the first fifty people inside the node in whose line of the search
    the text stands, and how many there are. text: folded letters only."""
    return f"""
    SELECT c.public_id, c.known_as, c.placeholder_label, s.score, s.member, p.name,
      count(*) OVER () AS total
    FROM search_entry e
    JOIN contact c ON c.id = e.contact_id
    JOIN state_span s ON s.contact_id = e.contact_id AND s.place_id = e.place_id
      AND s.from_day <= '{day}' AND s.to_day > '{day}'
    JOIN place p ON p.id = s.workplace_id
    WHERE e.valid_from <= '{day}' AND e.valid_to > '{day}' AND e.words LIKE '%{text}%'
      AND e.{_inside(node_id)}
    ORDER BY c.name_key, c.id
    LIMIT 50"""


def _inside(node_id: int) -> str:
    return f"place_id IN (SELECT descendant_id FROM place_closure WHERE ancestor_id = {node_id})"


def _user(sign_in_name: str) -> str:
    return f"(SELECT id FROM user_account WHERE sign_in_name = '{sign_in_name}')"
