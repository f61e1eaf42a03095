"""A line for each job that a search for people reads, with an index of its trigrams."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_search_people"
down_revision = "20261123_keep_cases"

_NO_TRIGRAMS = (
    "The search for people needs PostgreSQL's extension pg_trgm, and this program may not add it. "
    "Ask whoever runs the database to do this once, in this database: CREATE EXTENSION pg_trgm; "
    "It comes with PostgreSQL (on Debian in the package of the server itself)."
)
_NO_FTS = (
    "This SQLite cannot index parts of words (FTS5 with trigrams). Install sqlcipher3 0.6.4 or "
    "newer."
)
# Words are folded before they are stored. Only which line a trigram is in is kept, not where in
# the line. secure-delete: what is taken out leaves the pages of the index as well.
_PUT_IN = "INSERT INTO search_entry_fts(rowid, words) VALUES (new.id, new.words);"
_TAKE_OUT = (
    "INSERT INTO search_entry_fts(search_entry_fts, rowid, words) "
    "VALUES('delete', old.id, old.words);"
)
_BOTH = f"{_TAKE_OUT} {_PUT_IN}"
_TABLE = (
    "CREATE VIRTUAL TABLE search_entry_fts USING fts5(words, content='search_entry', "
    "content_rowid='id', tokenize='trigram case_sensitive 1', detail=none, columnsize=0)"
)
_FTS = (
    _TABLE,
    "INSERT INTO search_entry_fts(search_entry_fts, rank) VALUES('secure-delete', 1)",
    f"CREATE TRIGGER search_entry_put_in AFTER INSERT ON search_entry BEGIN {_PUT_IN} END",
    f"CREATE TRIGGER search_entry_take_out AFTER DELETE ON search_entry BEGIN {_TAKE_OUT} END",
    f"CREATE TRIGGER search_entry_change AFTER UPDATE ON search_entry BEGIN {_BOTH} END",
)


def upgrade() -> None:
    """Add the tables, empty: the program fills them when it starts next."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        _add_pg_trgm()
    op.create_table(
        "search_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_entry")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk_search_entry_job_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_search_entry_place_id")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_search_entry_contact_id")
        ),
        sa.UniqueConstraint("job_id", name=op.f("uq_search_entry_job_id")),
    )
    op.create_index("ix_search_entry_place_id", "search_entry", ["place_id"])
    op.create_index("ix_search_entry_contact_id", "search_entry", ["contact_id"])
    op.create_table(
        "search_cut",
        sa.Column("cut", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("cut", "word", name=op.f("pk_search_cut")),
        sqlite_with_rowid=False,
    )
    if postgresql:
        op.create_index(
            "ix_search_entry_words",
            "search_entry",
            ["words"],
            postgresql_using="gin",
            postgresql_ops={"words": "gin_trgm_ops"},
        )
        return
    try:
        for statement in _FTS:
            op.execute(statement)
    except sa.exc.DBAPIError as error:
        raise SystemExit(_NO_FTS) from error


def _add_pg_trgm() -> None:
    found = sa.text("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
    if op.get_bind().execute(found).first() is not None:
        return
    try:
        op.execute("CREATE EXTENSION pg_trgm")
    except sa.exc.DBAPIError as error:
        raise SystemExit(_NO_TRIGRAMS) from error


def downgrade() -> None:
    """Take the tables away. The extension stays: others may use it."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_entry_fts")
    op.drop_table("search_cut")
    op.drop_table("search_entry")
