"""What the recorded shop log says by itself: the independent answer that the replay test compares the worker with.

Usage: python3 ecom.py ecom.csv.gz > answer.json

It shares nothing with the product: the file is read with the csv module, the questions are SQL over SQLite, and the
formulas of examples/shop/replay/ecom.map.yaml are stated here once more.
"""

import csv
import datetime
import gzip
import hashlib
import json
import sqlite3
import sys

SESSION_GAP_S = 30 * 60
WINDOW_S = 10 * 60
SITE = "shop"

ROWS = """
    create table log (
        row integer primary key,  -- among the data rows, from 0
        user text, event text, seconds integer, channel text,
        sequence integer          -- among the user's rows, from 1
    )
"""

SESSIONS = f"""
    create table visit as
    select *, sum(starts) over (partition by user order by sequence) as session
    from (
        select *, seconds - lag(seconds, 1, -1e12) over (partition by user order by sequence) >= {SESSION_GAP_S} as starts
        from log
    )
"""

# The hero rule: shoe_views >= 2 in 10 minutes, no add_to_cart in the session so far, paid traffic.
# Shoes are the rows whose number divides by 4. It can become true only at a view of shoes.
HERO = f"""
    select second.user, min(second.sequence)
    from visit as second
    where second.event = 'product_view' and second.row % 4 = 0 and second.channel = 'paid_search'
      and exists (
        select 1 from visit as first
        where first.user = second.user and first.sequence < second.sequence
          and first.event = 'product_view' and first.row % 4 = 0
          and second.seconds - first.seconds < {WINDOW_S}
      )
      and not exists (
        select 1 from visit as cart
        where cart.user = second.user and cart.session = second.session
          and cart.sequence < second.sequence and cart.event = 'add_to_cart'
      )
    group by second.user
"""


def read(path):
    """The rows as (row, user, event, seconds, channel, sequence)."""
    sequences = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        for row, cells in enumerate(csv.DictReader(lines)):
            user = cells["user_id"]
            sequences[user] = sequences.get(user, 0) + 1
            moment = datetime.datetime.fromisoformat(cells["timestamp"] + "+00:00")
            yield row, user, cells["event"], int(moment.timestamp()), cells["acquisition_channel"], sequences[user]


def visitor(user):
    """The id under which the worker knows a user of the log."""
    return "00" + hashlib.sha256(f"{SITE}\0{user}".encode()).hexdigest()[2:32]


def answer(path):
    """Everything the test asks."""
    log = sqlite3.connect(":memory:")
    log.execute(ROWS)
    log.executemany("insert into log values (?, ?, ?, ?, ?, ?)", read(path))
    log.execute("create index by_user on log (user, sequence)")
    log.execute(SESSIONS)
    log.execute("create index visit_by_user on visit (user, sequence)")
    events = {}
    for user, event, seconds in log.execute("select user, event, seconds from log order by row"):
        events.setdefault(visitor(user), []).append([event, seconds * 1000])
    return {
        "rows": log.execute("select count(*) from log").fetchone()[0],
        "names": dict(log.execute("select event, count(*) from log group by event")),
        "sessions": {visitor(user): count for user, count in log.execute("select user, max(session) from visit group by user")},
        "hero": {visitor(user): sequence for user, sequence in log.execute(HERO)},
        "events": events,
    }


if __name__ == "__main__":
    json.dump(answer(sys.argv[1]), sys.stdout)
