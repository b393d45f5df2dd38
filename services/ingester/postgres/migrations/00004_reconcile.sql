-- +goose Up

-- What reconciling and sweeping look for is a small part of the ledger.
CREATE INDEX loads_loading ON sluice.loads (job_id) WHERE state = 'loading';
CREATE INDEX loads_ended ON sluice.loads (ended_at) WHERE state <> 'loading';

-- +goose Down
DROP INDEX sluice.loads_loading;
DROP INDEX sluice.loads_ended;
