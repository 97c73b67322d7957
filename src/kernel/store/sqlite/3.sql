-- Step 3. How many entries were dropped, from the beginning on. One row, or none as long as all are there.
CREATE TABLE dropped (
    only  INTEGER PRIMARY KEY CHECK (only = 0),
    count INTEGER NOT NULL,
    sum   INTEGER NOT NULL
) STRICT;
