"""When the rows of a table are known to be the same as before.

A snapshot of PostgreSQL says which transactions are seen. Two that are written alike see the same ones, so a table of PostgreSQL's own
storage shows the same rows. What is not said by transactions of this server has no version: views, foreign and unlogged tables, rows that
depend on who asks, servers that follow another one, servers that only speak like PostgreSQL, and whatever an unknown extension may do.
Counters of written rows would be cheaper to compare and are no proof: they come late, and are lost when the server fails.
"""

from __future__ import annotations

KNOWN = (
    "address_standardizer", "btree_gin", "btree_gist", "citext", "cube", "earthdistance", "fuzzystrmatch", "hstore", "intarray", "isn",
    "ltree", "pg_buffercache", "pg_cron", "pg_stat_statements", "pg_trgm", "pgaudit", "pgcrypto", "pgrowlocks", "pgstattuple", "plpgsql",
    "postgis", "seg", "tablefunc", "unaccent", "uuid-ossp", "vector",
)  # fmt: skip
"""Extensions that bring types and functions, and no storage of their own."""
_NAMES = ", ".join(f"'{name}'" for name in KNOWN)
VERSION = f"""
    WITH RECURSIVE tree (id) AS (
        SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2
        UNION SELECT i.inhrelid FROM pg_inherits AS i JOIN tree ON i.inhparent = tree.id
    )
    SELECT CONCAT_WS(' ', CAST(pg_postmaster_start_time() AS TEXT), MIN(d.oid), MIN(tree.id), CAST(txid_current_snapshot() AS TEXT))
    FROM tree JOIN pg_class AS c ON c.oid = tree.id LEFT JOIN pg_am AS a ON a.oid = c.relam JOIN pg_database AS d ON d.datname = current_database()
    HAVING BOOL_AND(c.relkind IN ('r', 'p', 'm') AND c.relpersistence = 'p' AND NOT c.relrowsecurity AND (c.relkind = 'p' OR a.amname = 'heap'))
       AND NOT pg_is_in_recovery() AND version() ~ '^PostgreSQL [0-9.]+ '
       AND NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname NOT IN ({_NAMES}))
"""
"""Gives one row with the version of a table, and none where it has no version; `$1` is the schema, `$2` the table."""
