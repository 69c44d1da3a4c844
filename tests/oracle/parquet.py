"""What DuckDB reads in a folder of Parquet files, as one JSON object a row, and the types of the columns.

    parquet.py DIR -> {"columns": {name: type}, "rows": [{...}]}
"""

import json
import sys

import duckdb

files = f"{sys.argv[1]}/*.parquet"
database = duckdb.connect()
database.execute("set timezone = 'UTC'")
columns = database.execute(f"describe select * from '{files}'").fetchall()
# Times as the milliseconds they are, everything else as it is.
shown = [
    f'epoch_ms("{name}") as "{name}"' if "TIMESTAMP" in kind else f'"{name}"' for name, kind, *_ in columns
]
rows = database.execute(f"select {', '.join(shown)} from '{files}' order by id").fetchall()
names = [name for name, *_ in columns]
print(json.dumps({
    "columns": {name: kind for name, kind, *_ in columns},
    "rows": [dict(zip(names, row)) for row in rows],
}))
