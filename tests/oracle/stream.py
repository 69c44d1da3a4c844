"""The queries of docs/stream.md, run by SQLite over records: `stream.py RECORDS.ndjson stream.md` prints their rows."""

import json
import re
import sqlite3
import sys

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
    queries = re.findall(r"```sql (\w+)\n(.*?)```", text.read(), re.S)
print(json.dumps({name: base.execute(query).fetchall() for name, query in queries}))
