-- +goose Up

ALTER TABLE sluice.batches
    ADD COLUMN types json;                     -- what the values of each column have been, if types are inferred

-- +goose Down
ALTER TABLE sluice.batches DROP COLUMN types;
