-- The journal: what has happened in each account, what was done about it, and what its client must remember.
--
-- What the bot looks for while it runs has an index of its own that holds nothing else: events that wait, messages that are
-- not settled. Numbers never come again (AUTOINCREMENT), so that one written down elsewhere always means the same. Tables are
-- not STRICT, which SQLite knows from 3.37 on only.

CREATE TABLE account (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  began INTEGER NOT NULL DEFAULT 0,
  cookie TEXT NOT NULL DEFAULT '',
  whole_until REAL NOT NULL DEFAULT 0
);

CREATE TABLE mark (
  account INTEGER NOT NULL,
  group_id TEXT NOT NULL,
  created INTEGER NOT NULL,
  taken INTEGER NOT NULL,
  PRIMARY KEY (account, group_id)
) WITHOUT ROWID;

CREATE TABLE held (
  account INTEGER NOT NULL,
  number INTEGER NOT NULL,
  item BLOB NOT NULL,
  PRIMARY KEY (account, number)
);

-- Applications and invitations, which the server lists for weeks.
CREATE TABLE request (
  account INTEGER NOT NULL,
  identity BLOB NOT NULL,
  event INTEGER NOT NULL,
  met REAL NOT NULL,
  PRIMARY KEY (account, identity)
) WITHOUT ROWID;

CREATE TABLE event (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  account INTEGER NOT NULL,
  lane TEXT NOT NULL,
  kind TEXT NOT NULL,
  identity BLOB, -- not of requests
  who TEXT NOT NULL,
  time REAL NOT NULL, -- the server's
  taken REAL NOT NULL, -- ours
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  decision BLOB,
  body BLOB -- NULL: the row stands for its identity only
);

CREATE INDEX event_identity ON event (account, identity, time) WHERE identity IS NOT NULL;
CREATE INDEX event_open ON event (account, lane, number) WHERE state = 0;
CREATE INDEX event_bare ON event (account, time) WHERE body IS NULL;

CREATE TABLE step (
  event INTEGER NOT NULL,
  handler TEXT NOT NULL,
  slot TEXT NOT NULL,
  kind TEXT NOT NULL,
  target TEXT NOT NULL,
  name TEXT NOT NULL,
  result BLOB NOT NULL,
  refused INTEGER NOT NULL,
  PRIMARY KEY (event, handler, slot)
) WITHOUT ROWID;

CREATE TABLE send (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  account INTEGER NOT NULL,
  event INTEGER, -- NULL: of no event, or of one that is not kept any more
  handler TEXT NOT NULL,
  slot TEXT NOT NULL,
  plugin TEXT NOT NULL,
  key TEXT NOT NULL,
  target TEXT NOT NULL,
  conversation TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  random INTEGER NOT NULL,
  intended REAL NOT NULL,
  settled REAL NOT NULL DEFAULT 0,
  state INTEGER NOT NULL DEFAULT 0,
  result BLOB NOT NULL DEFAULT x'',
  body BLOB -- NULL: the row stands for its key, or its token, only
);

CREATE UNIQUE INDEX send_key ON send (account, plugin, key) WHERE key != '';
CREATE INDEX send_event ON send (event) WHERE event IS NOT NULL;
CREATE INDEX send_open ON send (account, number) WHERE state = 0;
CREATE INDEX send_unknown ON send (account, number) WHERE state = 3;
CREATE INDEX send_settled ON send (account, settled) WHERE state > 0 AND event IS NULL AND body IS NOT NULL;
CREATE INDEX send_bare ON send (account, key = '', settled) WHERE body IS NULL;

CREATE TABLE dialogue (
  account INTEGER NOT NULL,
  event INTEGER NOT NULL,
  handler TEXT NOT NULL,
  slot TEXT NOT NULL,
  lane TEXT NOT NULL,
  who TEXT NOT NULL,
  deadline REAL NOT NULL,
  revision INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (account, event)
) WITHOUT ROWID;

CREATE TABLE letter (
  account INTEGER NOT NULL,
  event INTEGER NOT NULL,
  died REAL NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (account, event)
) WITHOUT ROWID;
