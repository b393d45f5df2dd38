-- +goose Up

ALTER TABLE sluice.loads
    ADD COLUMN spec         json,              -- what the user asked for
    ADD COLUMN source       json,              -- by what the source is recognised as the same when it is asked again
    ADD COLUMN warnings     json,              -- about the part of the file above its rows
    ADD COLUMN begin_offset bigint,            -- in the source, of the first row
    ADD COLUMN begin_line   bigint,
    ADD COLUMN progress     integer,           -- the latest attempt of the run that had come further when what was committed was discarded
    ADD COLUMN restarted    integer;           -- the latest attempt that discarded it, and so comes no further by what it commits

ALTER TABLE sluice.batches
    ADD COLUMN attempt       integer,          -- of the run, that committed it
    ADD COLUMN next_line     bigint,           -- of the byte at end_offset
    ADD COLUMN warnings      json,             -- about its rows
    ADD COLUMN resume_digest bytea,            -- state of the SHA-256 of the source's first resume_offset bytes
    ADD COLUMN resume_offset bigint,           -- no more than end_offset: reading goes on from there
    ADD COLUMN digest        bytea,            -- state of the SHA-256 of the source's first digest_offset bytes
    ADD COLUMN digest_offset bigint;           -- no less than end_offset: it vouches for the batch

-- +goose Down
ALTER TABLE sluice.batches DROP COLUMN attempt, DROP COLUMN next_line, DROP COLUMN warnings, DROP COLUMN resume_digest,
    DROP COLUMN resume_offset, DROP COLUMN digest, DROP COLUMN digest_offset;
ALTER TABLE sluice.loads DROP COLUMN spec, DROP COLUMN source, DROP COLUMN warnings, DROP COLUMN begin_offset,
    DROP COLUMN begin_line, DROP COLUMN progress, DROP COLUMN restarted;
