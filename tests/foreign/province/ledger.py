"""What must outlive a crash: partners and their keys, envelopes received with our receipts, envelopes sent with the partner's receipts.

One SQLite file. `with ledger:` is one transaction; when it ends without an error, it is on disk (synchronous=FULL).
"""

import pathlib
import sqlite3
import threading

NOTHING = bytes(32)

SCHEMA = """
CREATE TABLE IF NOT EXISTS partner (code TEXT PRIMARY KEY, ca BLOB NOT NULL, endpoint TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS signing_key (
    partner TEXT, key_id TEXT, public_key BLOB NOT NULL, space TEXT, epoch INTEGER, position INTEGER, PRIMARY KEY (partner, key_id));
CREATE TABLE IF NOT EXISTS received (
    partner TEXT, space TEXT, epoch INTEGER, position INTEGER, digest BLOB NOT NULL, signed_envelope BLOB NOT NULL, signed_receipt BLOB NOT NULL,
    PRIMARY KEY (partner, space, epoch, position));
CREATE TABLE IF NOT EXISTS sent (
    partner TEXT, space TEXT, epoch INTEGER, position INTEGER, digest BLOB NOT NULL, signed_envelope BLOB NOT NULL, signed_receipt BLOB,
    PRIMARY KEY (partner, space, epoch, position));
CREATE TABLE IF NOT EXISTS notification (
    name TEXT PRIMARY KEY, partner TEXT, space TEXT, subject TEXT NOT NULL, content BLOB NOT NULL, acknowledged INTEGER NOT NULL DEFAULT 0);
"""


class Ledger:
    def __init__(self, file: pathlib.Path):
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA busy_timeout = 10000")
        self._db.executescript(SCHEMA)

    def __enter__(self):
        """Begins a transaction, or joins the one that this thread has begun."""
        self._lock.acquire()
        if self._depth == 0:
            self._db.execute("BEGIN IMMEDIATE")
        self._depth += 1
        return self

    def __exit__(self, kind, *_):
        self._depth -= 1
        try:
            if self._depth == 0:
                self._db.execute("ROLLBACK" if kind else "COMMIT")
        finally:
            self._lock.release()

    def rows(self, sql: str, *values) -> list[tuple]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def head(self, table: str, partner: str, space: str) -> tuple[int, int, bytes]:
        """Epoch, last position and digest of a stream; (0, 0, zeros) before its first envelope."""
        assert table in ("received", "sent")
        sql = f"SELECT epoch, position, digest FROM {table} WHERE partner = ? AND space = ? ORDER BY epoch DESC, position DESC LIMIT 1"
        found = self.rows(sql, partner, space)
        return found[0] if found else (0, 0, NOTHING)
