-- +goose Up

-- One row per row of a file that was rejected, committed together with its batch. It outlives a run that failed.
CREATE TABLE sluice.rejects (
    job_id        uuid NOT NULL,
    batch         integer NOT NULL,             -- that it was committed with
    line          bigint NOT NULL,              -- where the row starts, from 1
    byte_offset   bigint NOT NULL,              -- in the source, of the row's first byte
    column_number integer,                      -- the field at fault, from 1; NULL if that is the whole row
    column_name   text,
    code          text NOT NULL,
    reason        text NOT NULL,                -- a sentence for the user
    raw           text NOT NULL,                -- the row, or its first part
    PRIMARY KEY (job_id, byte_offset)
);

-- +goose Down
DROP TABLE sluice.rejects;
