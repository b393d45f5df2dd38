-- +goose Up

-- One row per job that a worker has opened. It decides the job's outcome; events only report it.
CREATE TABLE sluice.loads (
    job_id      uuid PRIMARY KEY,
    run         integer NOT NULL,
    attempt     integer NOT NULL,             -- of the run, by the worker that opened it last
    fence       bigint NOT NULL,              -- raised by each worker that opens the job; lower ones may not commit
    state       text NOT NULL CHECK (state IN ('loading', 'committed', 'failed', 'cancelled')),
    schema_name text NOT NULL,
    table_name  text,                         -- the dataset, once committed
    columns     json,                         -- how the file's header became columns
    dialect     json,                         -- how the file is read
    figures     json,                         -- at the end of the run
    result      json,                         -- if committed
    failure     json,                         -- if failed
    opened_at   timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz
);

-- One row per batch of rows, committed together with the rows.
CREATE TABLE sluice.batches (
    job_id       uuid NOT NULL,
    batch        integer NOT NULL,
    fence        bigint NOT NULL,
    start_offset bigint NOT NULL,             -- in the source; the ranges of a job's batches tile it
    end_offset   bigint NOT NULL,
    first_line   bigint NOT NULL,
    rows         bigint NOT NULL,
    rejected     bigint NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, batch)
);

-- +goose Down
DROP TABLE sluice.batches;
DROP TABLE sluice.loads;
