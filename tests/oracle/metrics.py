"""The values of metrics over the recorded shop log, at every event and at a moment between events, by SQL.

Usage: python3 metrics.py ecom.csv.gz metrics.sql > answer.json

It shares nothing with the product: the file is read with the csv module, the questions are SQL over SQLite, the calendar
is Python's, and the formulas of examples/shop/replay/ecom.map.yaml are stated here once more.

`now` is the moment that is asked for, `:so_far` what its user did up to then (`e`), `:before` what of it is not later than an
`e`, `:within(10m)` a window to the millisecond,
`:panes(7d)` a window of twelve panes that are aligned to the epoch.
"""

import csv
import datetime
import gzip
import hashlib
import json
import re
import sqlite3
import sys
import zoneinfo

SITE = "shop"
ZONE = zoneinfo.ZoneInfo("Europe/Berlin")
SESSION_IDLE_S = 30 * 60
UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
PANES = 12
CATEGORIES = ["shoes", "jackets", "packs", "accessories"]
WITH_SKU = ["product_view", "add_to_cart", "wishlist_add", "compare"]
# No moment between events is further from the event before it: the session still lasts.
BETWEEN_S_MAX = 29 * 60
# In a world of several currencies, which the blocks with a line `-- currency:` ask for.
ABROAD = 7

LOG = """
    create table log (
        row integer, user text, sequence integer, event text, ms integer, session integer,
        day text, week text, month text, channel text, platform text,
        category text, sku text, value integer, currency text
    )
"""
NOW = """
    create table now (
        at integer primary key, user text, sequence integer, ms integer, session integer,
        day text, week text, month text
    )
"""


def calendar(seconds):
    """The local day, the Monday of its week, its month."""
    day = datetime.datetime.fromtimestamp(seconds, ZONE).date()
    return str(day), str(day - datetime.timedelta(days=day.weekday())), str(day)[:7]


def properties(row, event):
    """What the map derives from a row's number: category, sku, value."""
    if event in WITH_SKU:
        return CATEGORIES[row % 4], f"sku-{row % 40:03}", row % 40 * 3 + 19
    return None, None, row % 100 * 2 + 40 if event == "purchase" else None


def currency(row, event):
    """The currency of its amount: of every seventh row dollars."""
    return ("USD" if row % ABROAD == 0 else "EUR") if event in ("product_view", "purchase") else None


def read(path):
    """Each row of the log, as its table has it, with seconds in the place of milliseconds."""
    users = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        for row, cells in enumerate(csv.DictReader(lines)):
            user, event = cells["user_id"], cells["event"]
            seconds = int(datetime.datetime.fromisoformat(cells["timestamp"] + "+00:00").timestamp())
            sequence, session, last = users.get(user, (0, 0, -SESSION_IDLE_S - 1))
            session += seconds - last > SESSION_IDLE_S
            users[user] = (sequence + 1, session, seconds)
            yield (row, user, sequence + 1, event, seconds, session, *calendar(seconds),
                   cells["acquisition_channel"], cells["platform"], *properties(row, event), currency(row, event))


def moments(rows):
    """The moments that are asked for: each row's own, and one on the way to its user's next."""
    following = {}
    for row in reversed(rows):
        number, user, sequence, _, seconds, session = row[:6]
        room = following.get(user, seconds + BETWEEN_S_MAX) - seconds - 1
        following[user] = seconds
        yield user, sequence, seconds * 1_000, session, *calendar(seconds)
        if room > 0:
            later = seconds + min(room, number * 7_919 % BETWEEN_S_MAX)
            yield user, sequence, later * 1_000, session, *calendar(later)


def written_out(sql):
    """SQL without the words that only this file knows."""
    def window_ms(found):
        return int(found[1]) * UNIT_MS[found[2]]

    def panes(found):
        pane_ms = window_ms(found) // PANES
        return f"ms / {pane_ms} > now.ms / {pane_ms} - {PANES}"

    sql = re.sub(r":within\((\d+)(\w)\)", lambda found: f"ms > now.ms - {window_ms(found)}", sql)
    sql = re.sub(r":panes\((\d+)(\w)\)", panes, sql)
    before = "log as a where a.user = now.user and a.sequence <= now.sequence and a.ms <= e.ms"
    sql = sql.replace(":before", before)
    return sql.replace(":so_far", "log as e where e.user = now.user and e.sequence <= now.sequence")


def questions(path):
    """Name and SQL of every block of the file; a block begins with the line `-- name: ...`."""
    with open(path, encoding="utf-8") as file:
        for block in file.read().split("-- name: ")[1:]:
            lines = block.splitlines()
            sql = " ".join(line for line in lines[1:] if not line.startswith("--"))
            yield lines[0].strip(), written_out(sql)


def visitor(user):
    """The id under which the worker knows a user of the log."""
    return "00" + hashlib.sha256(f"{SITE}\0{user}".encode()).hexdigest()[2:32]


def answer(path, metrics):
    """Per visitor its moments, as place of the last event and milliseconds; per metric and visitor its values at them."""
    log = sqlite3.connect(":memory:")
    log.create_function("pow", 2, pow, deterministic=True)
    log.execute(LOG)
    rows = list(read(path))
    in_ms = [(*row[:4], row[4] * 1_000, *row[5:]) for row in rows]
    log.executemany(f"insert into log values ({','.join('?' * 15)})", in_ms)
    log.execute("create index by_user on log (user, sequence)")
    log.execute(NOW)
    asked = sorted(moments(rows), key=lambda moment: (moment[0], moment[1], moment[2]))
    log.executemany("insert into now values (null, ?, ?, ?, ?, ?, ?, ?)", asked)
    times = {}
    for user, sequence, ms, *_ in asked:
        times.setdefault(visitor(user), []).append([sequence, ms])
    values = {}
    for name, sql in questions(metrics):
        values[name] = {}
        for user, value in log.execute(f"select now.user, ({sql}) from now order by now.at"):
            values[name].setdefault(visitor(user), []).append(value)
    return {"rows": len(rows), "moments": times, "values": values}


if __name__ == "__main__":
    json.dump(answer(sys.argv[1], sys.argv[2]), sys.stdout)
