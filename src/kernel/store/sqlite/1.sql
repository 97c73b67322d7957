-- Step 1. Each row has a sum over all of its columns, so that a row that was damaged is noticed when it is read. Contents
-- have their digest for it.

-- Rows that grow and shrink, so not ordered by their key themselves.
CREATE TABLE objects (
    kind    TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    version INTEGER NOT NULL,
    state   TEXT    NOT NULL,
    due_ms  INTEGER,
    body    BLOB    NOT NULL,
    sum     INTEGER NOT NULL,
    UNIQUE (kind, key)
) STRICT;

CREATE INDEX objects_by_state ON objects (kind, state, key, due_ms);
CREATE INDEX objects_by_due ON objects (kind, due_ms) WHERE due_ms IS NOT NULL;

-- `position` is the index in the log, from 0 and without a gap.
CREATE TABLE entries (
    position INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,
    kind     TEXT    NOT NULL,
    entry    BLOB    NOT NULL,
    sum      INTEGER NOT NULL
) STRICT;

CREATE INDEX entries_by_kind ON entries (kind);

CREATE TABLE nodes (
    level    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    sum      INTEGER NOT NULL,
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE contents (
    digest  BLOB NOT NULL UNIQUE,
    content BLOB NOT NULL
) STRICT;
