-- +goose Up

-- One row per table that was loaded into. It outlives what the ledger has of the job.
CREATE TABLE sluice.datasets (
    schema_name text COLLATE "C" NOT NULL,
    table_name  text COLLATE "C" NOT NULL,
    table_oid   oid NOT NULL,                  -- by which another table of the name is told apart
    ledger_oid  oid NOT NULL,                  -- of this table then: a database that is restored from a dump has other OIDs
    job_id      uuid NOT NULL,                 -- that has loaded into it last
    source      text NOT NULL,                 -- of that job, as users may see it
    mode        text NOT NULL,                 -- likewise
    made        boolean NOT NULL,              -- whether Sluice has made the table
    rows        bigint,                        -- of the job, if they were the only ones of the table
    loaded_at   timestamptz NOT NULL,
    PRIMARY KEY (schema_name, table_name)
);

-- The datasets whose table is there, and not another one under its name.
CREATE VIEW sluice.standing_datasets AS
SELECT c.oid, d.schema_name, d.table_name, d.job_id, d.source, d.mode, d.made, d.rows, d.loaded_at
FROM sluice.datasets d
JOIN pg_catalog.pg_namespace n ON n.nspname = d.schema_name::name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = d.table_name::name AND c.relkind = 'r'
WHERE c.oid = d.table_oid OR d.ledger_oid <> d.tableoid;

-- show lets the API's role read a table, where there is the role and this one may.
-- +goose StatementBegin
CREATE FUNCTION sluice.show(schema_name text, table_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'sluice_reader') THEN
        RETURN;
    END IF;
    BEGIN
        IF NOT has_schema_privilege('sluice_reader', schema_name, 'USAGE') THEN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO sluice_reader', schema_name);
        END IF;
    EXCEPTION WHEN OTHERS THEN -- it is another's, or is just being granted or dropped: that must not end a load
    END;
    BEGIN
        IF NOT has_table_privilege('sluice_reader', format('%I.%I', schema_name, table_name), 'SELECT') THEN
            EXECUTE format('GRANT SELECT ON TABLE %I.%I TO sluice_reader', schema_name, table_name);
        END IF;
    EXCEPTION WHEN OTHERS THEN
    END;
END $$;
-- +goose StatementEnd

-- What earlier versions have loaded. Where the ledger does not prove that the table is Sluice's, it is taken for another's.
INSERT INTO sluice.datasets
SELECT DISTINCT ON (l.schema_name, l.table_name) l.schema_name, l.table_name, c.oid, 'sluice.datasets'::regclass, l.job_id,
       coalesce(l.spec->'source'->>'url', ''), coalesce(nullif(l.spec->>'mode', ''), 'create'),
       EXISTS (SELECT FROM sluice.loads m WHERE m.schema_name = l.schema_name AND m.table_name = l.table_name AND m.state = 'committed'
         AND (m.table_oid = c.oid OR m.ledger_oid <> m.tableoid) AND m.made_table AND m.unchanged_since IS NULL
         AND coalesce(m.spec->>'mode', '') <> 'replace'),
       CASE WHEN l.made_table THEN (l.result->>'rows')::bigint END, l.ended_at
FROM sluice.loads l
JOIN pg_catalog.pg_namespace n ON n.nspname = l.schema_name::name
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = l.table_name::name AND c.relkind = 'r'
WHERE l.state = 'committed' AND l.unchanged_since IS NULL
  AND (l.table_oid IS NULL OR l.table_oid = c.oid OR l.ledger_oid <> l.tableoid)
ORDER BY l.schema_name, l.table_name, coalesce(l.committed_at, l.ended_at) DESC;

-- +goose Down
DROP FUNCTION sluice.show(text, text);
DROP VIEW sluice.standing_datasets;
DROP TABLE sluice.datasets;
