package postgres

// heritageQuery lists what a table has that outlives it, as statements that give it to another one: first those for the
// staging table ($2) beside the table ($1), then those for when it has the table's name ($4) in its schema ($6). Only what
// belongs to the file's columns ($3) is listed. Indexes have temporary names that begin with $5 until the table's are free.
// The types of columns are not in it. The list is a function of the table alone, so that two of them can be compared.
const heritageQuery = `
WITH old AS (SELECT c.*, nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = $1::oid),
cols AS (
  SELECT a.*, typstorage FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid
  WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped AND attname = ANY ($3::text[])),
indexes AS (
  SELECT i.*, relname, x.reltablespace, pg_get_indexdef(x.oid) AS def, conname, contype, condeferrable, condeferred, k.oid AS constraint,
         format('CREATE %sINDEX %I ON %I.%I USING ', CASE WHEN indisunique THEN 'UNIQUE ' END, relname, (SELECT nspname FROM old),
           (SELECT relname FROM old)) AS start,
         $5::text || row_number() OVER (ORDER BY i.indexrelid) AS temporary
  FROM pg_index i JOIN pg_class x ON x.oid = indexrelid
  LEFT JOIN pg_constraint k ON conindid = indexrelid AND conrelid = indrelid AND contype IN ('p', 'u')
  WHERE indrelid = $1::oid),
rights AS (
  SELECT NULL::name AS attname, acl.* FROM old CROSS JOIN LATERAL aclexplode(coalesce(relacl, acldefault('r', relowner))) AS acl
  UNION ALL SELECT attname, acl.* FROM cols CROSS JOIN LATERAL aclexplode(attacl) AS acl)
SELECT step > 20, about, sql FROM (
  SELECT 1 AS step, '' AS place, 'its columns' AS about, 'ALTER TABLE ' || $2::text || ' ' || string_agg(CASE WHEN conname IS NULL
    THEN format('ALTER COLUMN %I SET NOT NULL', attname) ELSE format('ADD CONSTRAINT %I NOT NULL %I', conname, attname) END,
      ', ' ORDER BY attnum) AS sql
  FROM cols LEFT JOIN pg_constraint ON conrelid = attrelid AND contype = 'n' AND conkey = ARRAY[attnum]
    WHERE attnotnull HAVING count(*) > 0
  UNION ALL SELECT 2, attname, '', format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', $2::text, attname, attstattarget)
  FROM cols WHERE attstattarget >= 0
  UNION ALL SELECT 3, attname, '', format('ALTER TABLE %s ALTER COLUMN %I SET STORAGE %s', $2::text, attname,
    CASE attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END)
  FROM cols WHERE attstorage <> typstorage
  UNION ALL SELECT 4, attname, '', format('ALTER TABLE %s ALTER COLUMN %I SET COMPRESSION %s', $2::text, attname,
    CASE attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END)
  FROM cols WHERE attcompression <> ''
  UNION ALL SELECT 5, attname || o, '', format('ALTER TABLE %s ALTER COLUMN %I SET (%I = %L)', $2::text, attname, split_part(o, '=', 1),
    substr(o, strpos(o, '=') + 1))
  FROM cols CROSS JOIN unnest(attoptions) AS o
  UNION ALL SELECT 6, o, '', format('ALTER TABLE %s SET (%I = %L)', $2::text, split_part(o, '=', 1), substr(o, strpos(o, '=') + 1))
  FROM old CROSS JOIN unnest(reloptions) AS o
  UNION ALL SELECT 6, o, '', format('ALTER TABLE %s SET (toast.%I = %L)', $2::text, split_part(o, '=', 1), substr(o, strpos(o, '=') + 1))
  FROM pg_class CROSS JOIN unnest(reloptions) AS o WHERE oid = (SELECT reltoastrelid FROM old)
  UNION ALL SELECT 7, '', '', format('ALTER TABLE %s SET UNLOGGED', $2::text) FROM old WHERE relpersistence = 'u'
  UNION ALL SELECT 8, '', '', format('ALTER TABLE %s SET ACCESS METHOD %I', $2::text, amname)
  FROM old JOIN pg_am a ON a.oid = relam WHERE amname <> 'heap'
  UNION ALL SELECT 9, '', '', format('ALTER TABLE %s SET TABLESPACE %I', $2::text, spcname) FROM old
    JOIN pg_tablespace s ON s.oid = reltablespace
  UNION ALL SELECT 10, temporary, 'index ' || relname, format('CREATE %sINDEX %I ON %s USING %s', CASE WHEN indisunique THEN 'UNIQUE ' END,
    temporary, $2::text, CASE WHEN starts_with(def, start) THEN substr(def, length(start) + 1) END)
  FROM indexes
  UNION ALL SELECT 11, temporary, '', format('ALTER INDEX %s.%I SET TABLESPACE %I', $6::text, temporary, spcname)
  FROM indexes JOIN pg_tablespace s ON s.oid = reltablespace
  UNION ALL SELECT 12, temporary || attnum, '', format('ALTER INDEX %s.%I ALTER COLUMN %s SET STATISTICS %s', $6::text,
    temporary, attnum, attstattarget)
  FROM indexes JOIN pg_attribute ON attrelid = indexrelid WHERE attstattarget >= 0
  UNION ALL SELECT 13, '', '', format('ALTER TABLE %s OWNER TO %I', $2::text, pg_get_userbyid(relowner)) FROM old
  UNION ALL SELECT 14, '', '', format('REVOKE ALL ON %s FROM %I', $2::text, pg_get_userbyid(relowner)) FROM old
  UNION ALL SELECT 15, concat_ws(' ', attname, grantee, privilege_type), '', format('GRANT %s %s ON %s TO %s %s', privilege_type,
    '(' || quote_ident(attname) || ')', $2::text, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN 'WITH GRANT OPTION' END)
  FROM rights
  UNION ALL SELECT 16, '', '', format('COMMENT ON TABLE %s IS %L', $2::text, obj_description($1::oid, 'pg_class'))
    WHERE obj_description($1::oid, 'pg_class') <> ''
  UNION ALL SELECT 17, attname, '', format('COMMENT ON COLUMN %s.%I IS %L', $2::text, attname, col_description($1::oid, attnum))
  FROM cols WHERE col_description($1::oid, attnum) <> ''
  UNION ALL SELECT 21, temporary, '', format('ALTER INDEX %s.%I RENAME TO %I', $6::text, temporary, relname) FROM indexes
    WHERE conname IS NULL
  UNION ALL SELECT 21, temporary, '', format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I%s%s', $4::text, conname,
    CASE contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, temporary, CASE WHEN condeferrable THEN ' DEFERRABLE' END,
    CASE WHEN condeferred THEN ' INITIALLY DEFERRED' END)
  FROM indexes WHERE conname IS NOT NULL
  UNION ALL SELECT 22, temporary, '', format('COMMENT ON INDEX %s.%I IS %L', $6::text, relname, obj_description(indexrelid, 'pg_class'))
  FROM indexes WHERE obj_description(indexrelid, 'pg_class') <> ''
  UNION ALL SELECT 23, temporary, '', format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, $4::text,
    obj_description("constraint", 'pg_constraint'))
  FROM indexes WHERE obj_description("constraint", 'pg_constraint') <> ''
  UNION ALL SELECT 24, '', '', format('ALTER TABLE %s CLUSTER ON %I', $4::text, relname) FROM indexes WHERE indisclustered
  UNION ALL SELECT 25, '', '', format('ALTER TABLE %s REPLICA IDENTITY %s', $4::text, CASE relreplident WHEN 'f' THEN 'FULL'
    ELSE 'NOTHING' END)
  FROM old WHERE relreplident IN ('f', 'n')
  UNION ALL SELECT 25, '', '', format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', $4::text, relname) FROM indexes
    WHERE indisreplident
) AS heritage ORDER BY step, place, sql`
