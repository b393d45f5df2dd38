-- +goose Up

-- unfit tells which texts a type does not take, by their places from 0, and why. It halves them until it has found each.
-- +goose StatementBegin
CREATE FUNCTION sluice.unfit(type text, texts text[]) RETURNS TABLE (place int, reason text) LANGUAGE plpgsql AS $$
DECLARE
    half int := cardinality(texts) / 2;
BEGIN
    BEGIN
        EXECUTE 'SELECT count(v::' || type || ') FROM unnest($1) AS v' USING texts;
        RETURN;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
        IF half = 0 THEN
            RETURN QUERY SELECT 0, SQLERRM;
            RETURN;
        END IF;
    END;
    RETURN QUERY SELECT * FROM sluice.unfit(type, texts[:half]);
    RETURN QUERY SELECT u.place + half, u.reason FROM sluice.unfit(type, texts[half + 1:]) AS u;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION sluice.unfit(text, text[]);
