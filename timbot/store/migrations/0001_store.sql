-- What plugins keep, the last run of each job, and what is counted per day.

PRAGMA application_id = 1953066338; -- "timb": tells our files from others

CREATE TABLE state (
  account TEXT NOT NULL,
  plugin TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL, -- JSON
  PRIMARY KEY (account, plugin, key)
);

-- The day stands before the name, so that old days are one range.
CREATE TABLE counter (
  account TEXT NOT NULL,
  plugin TEXT NOT NULL,
  day TEXT NOT NULL,
  name TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (account, plugin, day, name)
) WITHOUT ROWID;

CREATE TABLE job (
  account TEXT NOT NULL,
  plugin TEXT NOT NULL,
  key TEXT NOT NULL,
  nominal REAL NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL,
  finished REAL NOT NULL,
  PRIMARY KEY (account, plugin, key)
) WITHOUT ROWID;
