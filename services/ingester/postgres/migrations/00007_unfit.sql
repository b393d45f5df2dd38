-- +goose Up

-- unfit tells which texts a type does not take, by their places from 0, and why. It halves them until it has found each, or as
-- many as are asked for. Where a cast would cut what input refuses, they are read as parts of a record are: by input.
-- +goose StatementBegin
CREATE FUNCTION sluice.unfit(type text, texts text[], most int) RETURNS TABLE (place int, reason text) LANGUAGE plpgsql AS $$
DECLARE
    half int := cardinality(texts) / 2;
    cuts boolean := type ~ '\(' OR EXISTS (SELECT FROM pg_type WHERE oid = type::regtype AND typtype = 'd');
    found int := 0;
BEGIN
    IF EXISTS (SELECT FROM pg_type WHERE oid = type::regtype AND (typcategory IN ('A', 'C') OR typbasetype IN ('json'::regtype, 'jsonb'::regtype))) THEN
        cuts := false; -- those are written otherwise there
    END IF;
    BEGIN
        IF cuts THEN
            EXECUTE 'SELECT count(v) FROM json_to_recordset((SELECT json_agg(json_build_object(''v'', t)) FROM unnest($1) AS t)) AS r (v '
                || type || ')' USING texts;
        ELSE
            EXECUTE 'SELECT count(v::' || type || ') FROM unnest($1) AS v' USING texts;
        END IF;
        RETURN;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded OR syntax_error OR raise_exception
            OR undefined_table OR undefined_function THEN
        IF half = 0 THEN
            RETURN QUERY SELECT 0, SQLERRM;
            RETURN;
        END IF;
    END;
    RETURN QUERY SELECT * FROM sluice.unfit(type, texts[:half], most);
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found < most THEN
        RETURN QUERY SELECT u.place + half, u.reason FROM sluice.unfit(type, texts[half + 1:], most - found) AS u;
    END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION sluice.unfit(text, text[], int);
