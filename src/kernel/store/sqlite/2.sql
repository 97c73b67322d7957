-- Step 2. Where the store is: the last transaction that changed something, by its number and by chance, and the one before
-- it by chance. The same is kept beside the file, so that a store that fell back is noticed. One row.
CREATE TABLE place (
    only   INTEGER PRIMARY KEY CHECK (only = 0),
    number INTEGER NOT NULL,
    mark   BLOB    NOT NULL,
    before BLOB    NOT NULL,
    sum    INTEGER NOT NULL
) STRICT;
