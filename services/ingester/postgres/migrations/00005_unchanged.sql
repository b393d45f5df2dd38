-- +goose Up

-- What tells a later run whether the rows of this one stand. Runs of before have none of it, so that the index is built in a
-- second for a million of them.
ALTER TABLE sluice.loads
    ADD COLUMN source_key      text,           -- if committed: stands for the source, how it was read and where to
    ADD COLUMN committed_at    timestamptz,    -- by the database's clock, so that runs of one table are in their order
    ADD COLUMN made_table      boolean,        -- whether the rows were the only ones of the table
    ADD COLUMN table_oid       oid,            -- of the dataset
    ADD COLUMN ledger_oid      oid,            -- of this table then: a database that is restored from a dump has other OIDs
    ADD COLUMN unchanged_since uuid;           -- the job whose rows stand, if this one has loaded none
CREATE INDEX loads_source ON sluice.loads (source_key, committed_at) WHERE source_key IS NOT NULL;

-- +goose Down
DROP INDEX sluice.loads_source;
ALTER TABLE sluice.loads DROP COLUMN source_key, DROP COLUMN committed_at, DROP COLUMN made_table, DROP COLUMN table_oid,
    DROP COLUMN ledger_oid, DROP COLUMN unchanged_since;
