-- +goose Up

ALTER TABLE sluice.loads
    ADD COLUMN spec         json,              -- what the user asked for
    ADD COLUMN source       json,              -- by what the source is recognised as the same when it is asked again
    ADD COLUMN warnings     json,              -- about the part of the file above its rows
    ADD COLUMN resumed_from bigint;            -- the byte offset at which the latest attempt went on; NULL if at the start

ALTER TABLE sluice.batches
    ADD COLUMN next_line     bigint,           -- of the byte at end_offset
    ADD COLUMN warnings      json,             -- about its rows
    ADD COLUMN digest        bytea,            -- state of the SHA-256 of the source's first digest_offset bytes
    ADD COLUMN digest_offset bigint;           -- no more than end_offset

-- +goose Down
ALTER TABLE sluice.batches DROP COLUMN next_line, DROP COLUMN warnings, DROP COLUMN digest, DROP COLUMN digest_offset;
ALTER TABLE sluice.loads DROP COLUMN spec, DROP COLUMN source, DROP COLUMN warnings, DROP COLUMN resumed_from;
