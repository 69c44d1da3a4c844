"""The queries of docs/stream.md, run over records: `stream.py RECORDS.ndjson stream.md` prints their rows, by SQLite over tables
made here, and by DuckDB over the views that the page makes."""

import json
import os
import re
import sqlite3
import sys

import duckdb

records, page = sys.argv[1:]
tables = {"event": "events", "decision": "decisions", "exposure": "exposures", "goal": "goals", "emit": "emits"}
found = {table: [] for table in tables.values()}
with open(records, encoding="utf-8") as lines:
    for line in lines:
        record = json.loads(line)
        _, kind, _ = record["record"].split(".")
        # What says that a visitor was erased stands in no table: it empties theirs.
        if kind != "erase":
            found[tables[kind]].append(record)

base = sqlite3.connect(":memory:")
for table, rows in found.items():
    columns = sorted({name for row in rows for name in row} | {"id", "visitor", "time_ms", "name"})
    names = ", ".join(f'"{column}"' for column in columns)
    base.execute(f"CREATE TABLE {table} ({names})")
    plain = lambda value: json.dumps(value) if isinstance(value, (dict, list)) else value
    places = ", ".join("?" for _ in columns)
    values = [[plain(row.get(column)) for column in columns] for row in rows]
    base.executemany(f"INSERT INTO {table} VALUES ({places})", values)

with open(page, encoding="utf-8") as text:
    said = text.read()
queries = re.findall(r"```sql (\w+)\n(.*?)```", said, re.S)
by_sqlite = {name: base.execute(query).fetchall() for name, query in queries}

# The page shows the view of one kind and says that the others are made likewise.
(view,) = re.findall(r"^CREATE VIEW events AS .*;$", said, re.M)
folder = os.path.dirname(records)
database = duckdb.connect()
for kind, table in tables.items():
    likewise = view.replace("events", table).replace("selvedge.event.v1", f"selvedge.{kind}.v1")
    database.execute(likewise.replace("records/*.ndjson", os.path.join(folder, "*.ndjson")))
by_duckdb = {name: database.execute(query).fetchall() for name, query in queries}
counts = {table: database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables.values()}
if counts != {table: len(rows) for table, rows in found.items()}:
    sys.exit(f"the views have {counts} rows")
print(json.dumps({"sqlite": by_sqlite, "duckdb": by_duckdb}))
