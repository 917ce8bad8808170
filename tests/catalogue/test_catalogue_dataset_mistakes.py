"""Every mistake that a dataset can hold is reported with its code, its place and the text underlined, and with what to do."""

from __future__ import annotations

import pytest

DATASETS = {
    "an unknown column in the key": ("table: leads, key: ⟨unknown_column:leed_id⟩", "no column `leed_id` in its data", "`lead_id`"),
    "one of a longer key": ("table: leads, key: [lead_id, ⟨unknown_column:chanel⟩]", "`chanel`", "`channel`"),
    "an unknown column as time": ("table: leads, time: ⟨unknown_column:created⟩", "no column or dimension `created`", "`created_at`"),
    "a time that is a text": ("table: leads, time: ⟨bad_time_type:note⟩", "is of type VARCHAR", "columns: {note: {type: timestamptz}}"),
    "a further time that is a text": ("table: leads, times: {late: ⟨bad_time_type:note⟩}", "`late`", "timestamptz"),
    "a time that is a number": ("table: leads, time: ⟨bad_time_type:amount⟩", "DOUBLE", "timestamptz"),
    "a time that is neither column nor expression": ("table: leads, ⟨bad_time:time⟩: {label: When}", "neither", "`sql:`"),
    "a time that is both": ("table: leads, ⟨bad_time:time⟩: {column: created_at, sql: mql_at}", "both", "`sql:`"),
    "an expression of a time with an unknown column": (
        'table: leads, times: {late: {sql: "coalesce(⟨unknown_column:mql⟩, created_at)"}}', "`mql`", "`mql_at`",
    ),
    "an unparsable time": ('table: leads, times: {late: {sql: "mql_at ⟨syntax:+⟩"}}', "after `+`", "complete"),
    "an unknown column as dimension": ("table: leads, dimensions: [channel, ⟨unknown_column:chanel⟩]", "`chanel`", "`channel`"),
    "an unknown column in a dimension": ('table: leads, dimensions: {c: {sql: "lower(⟨unknown_column:chanel⟩)"}}', "`chanel`", "`channel`"),
    "an unknown column at the end of a path": (
        "table: leads, joins: {s: {to: sessions, keys: {session_id: id}}}, dimensions: {d: ⟨unknown_column:s.devise⟩}", "`devise`", "`device`",
    ),
    "an unknown join in a path": (
        "table: leads, joins: {s: {to: sessions, keys: {session_id: id}}}, dimensions: {d: ⟨unknown_join:ses.device⟩}", "`ses`", "`s`",
    ),
    "a path without joins": ("table: leads, dimensions: {d: ⟨unknown_join:session.device⟩}", "not a join", "declares no joins"),
    "a parameter in a dimension": ('table: leads, dimensions: {d: {sql: "amount > ⟨misplaced_parameter::factor⟩"}}', "takes none", "`where`"),
    "an aggregate in a dimension": ("table: leads, dimensions: {d: {sql: ⟨aggregate_in_condition:max⟩(amount)}}", "one row", "formula"),
    "types that do not fit in a dimension": ("table: leads, dimensions: {d: {sql: ⟨types_do_not_fit:lower(amount)⟩}}", "`lower` cannot be used with a number (DOUBLE)", "cast"),
    "a dimension of two origins": ("table: leads, dimensions: {d: {path: channel, ⟨two_origins:sql⟩: lower(channel)}}", "both", "one"),
    "an unknown column with a type": ("table: leads, columns: {⟨unknown_column:amuont⟩: {type: double}}", "`amuont`", "`amount`"),
    "an unknown type": ("table: leads, columns: {note: {type: ⟨unknown_type:strng⟩}}", "`strng` is not a type", "varchar"),
    "an unknown zone": ("table: leads, columns: {note: {zone: ⟨unknown_timezone:Europe/Pari⟩}}", "not a time zone", "`Europe/Paris`"),
    "an unknown column of currencies": ("table: leads, columns: {amount: {currency: ⟨unknown_column:curency⟩}}", "`curency`", "`currency`"),
    "a unit that is none": ("table: leads, columns: {amount: {unit: ⟨bad_unit:/ EUR⟩}}", "not a unit", "EUR / lead"),
    "an unknown column in a snapshot": (
        "table: follower_counts, time: captured_on, snapshot: {of: ⟨unknown_column:acount_id⟩}", "`acount_id`", "`account_id`",
    ),
    "a snapshot without a time": ("table: follower_counts, ⟨no_time:snapshot⟩: {of: account_id}", "when each level was read", "`time:`"),
    "a bad keep": (
        "table: follower_counts, time: captured_on, snapshot: {of: account_id, keep: ⟨bad_duration:45 moons⟩}", "not a duration", "month",
    ),
    "a join to nothing": ("table: leads, joins: {s: {to: ⟨unknown_dataset:sesions⟩, keys: {session_id: id}}}", "`sesions`", "`sessions`"),
    "a join from an unknown column": (
        "table: leads, joins: {s: {to: sessions, keys: {⟨unknown_column:sesion_id⟩: id}}}", "dataset `own` has no column `sesion_id`", "`session_id`",
    ),
    "a join to an unknown column": (
        "table: leads, joins: {s: {to: sessions, keys: {session_id: ⟨unknown_column:idd⟩}}}", "dataset `sessions` has no column `idd`", "`id`",
    ),
    "a join to what is no key": (
        "table: leads, joins: {s: {to: sessions, ⟨join_not_to_key:keys⟩: {channel: device}}}", "whose key is `id`", "join on that key",
    ),
    "a join to what has no key": (
        "table: leads, joins: {s: {to: keyless, ⟨join_not_to_key:keys⟩: {channel: country}}}", "is not declared", "declare `key:`",
    ),
    "a join over types that do not fit": (
        "table: leads, joins: {s: {to: sessions, keys: {created_at: ⟨types_do_not_fit:id⟩}}}", "a time (TIMESTAMP WITH TIME ZONE) is compared with a number (BIGINT)", "same type",
    ),
    "an unknown column of validity": (
        "table: leads, time: created_at, joins: {s: {to: sessions, keys: {session_id: id}, valid: ⟨unknown_column:[started_at, ended]⟩}}",
        "`ended`", "started_at",
    ),
    "validity without a time": (
        "table: leads, joins: {s: {to: sessions, keys: {session_id: id}, ⟨no_time:valid⟩: [started_at, started_at]}}", "has none", "`time:`",
    ),
    "two origins": ("table: leads, ⟨two_origins:sql⟩: select * from leads", "`table` and `sql`", "keep one"),
    "a transform without from": ("⟨missing_key:transform⟩: pagerank", "needs `from`", "add `from:`"),
    "a transform from nothing": ("transform: pagerank, from: ⟨unknown_dataset:laeds⟩", "`laeds`", "`leads`"),
    "an unknown transform": ("transform: ⟨unknown_plugin:pagerang⟩, from: leads", "`pagerang`", "pagerank"),
    "a from without a transform": ("⟨from_without_transform:from⟩: leads", "goes with `transform`", "`table:`"),
    "options without a transform": ("table: leads, ⟨options_without_transform:options⟩: {damping: 0.5}", "`transform`", "remove"),
    "an unknown source": ("table: leads, source: ⟨unknown_source:wbe⟩", "no source `wbe`", "`web`"),
}  # fmt: skip


@pytest.mark.parametrize("case", DATASETS)
def test_a_mistake_in_a_dataset(check, case):
    text, message, hint = DATASETS[case]
    keyless = "  keyless: {table: countries}\n" if "keyless" in text else ""
    found = check(f"datasets:\n{keyless}  own: {{{text}}}\n")
    assert message in found[0].message
    assert hint in found[0].hint
