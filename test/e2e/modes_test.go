package e2e

import (
	"strings"
	"testing"

	"sluice/internal/testenv"
)

// TestModes holds that jobs one after the other bring their files into one table as each says, and that readers' rights to
// it stay.
func TestModes(t *testing.T) {
	t.Parallel()
	i := up(t, testenv.Dir(t))
	files := testenv.Files(t, map[string]string{
		"/january.csv": "id,city\n1,Bonn\n2,Rome\n", "/february.csv": "city,id\nOslo,3\n", "/all.csv": "id,city\n1,Bonn\n3,Oslo\n",
		"/changes.csv": "id,city\n3,Bergen\n4,Kyiv\n", "/twice.csv": "id,city\n4,Lviv\n4,Odesa\n", "/other.csv": "id,town\n5,Graz\n",
	})
	conn := i.connect(t)
	load := func(file string, fields map[string]any) job {
		fields["url"], fields["table"] = files+file, "trips"
		return i.submit(t, fields)
	}
	expect := func(j job, mode, want string) {
		t.Helper()
		if j = i.awaitState(t, j.ID, "succeeded"); j.Mode != mode || j.Table != "trips" || j.Attempt != 1 {
			t.Errorf("the job is %+v", j)
		}
		if rows := strings.Join(column[string](t, conn, `SELECT id || ' ' || city FROM trips ORDER BY id`), ", "); rows != want {
			t.Errorf("after %s the rows are %s, want %s", mode, rows, want)
		}
	}
	refused := func(j job, code string) {
		t.Helper()
		if j = i.awaitState(t, j.ID, "failed"); j.Error == nil || j.Error.Code != code {
			t.Errorf("it failed with %+v, want %s", j.Error, code)
		}
	}
	expect(load("/january.csv", map[string]any{"mode": "append"}), "append", "1 Bonn, 2 Rome")
	column[string](t, conn, `GRANT SELECT ON trips TO PUBLIC`)
	column[string](t, conn, `ALTER TABLE trips ADD PRIMARY KEY (id)`)
	expect(load("/february.csv", map[string]any{"mode": "append"}), "append", "1 Bonn, 2 Rome, 3 Oslo")
	expect(load("/all.csv", map[string]any{"mode": "replace"}), "replace", "1 Bonn, 3 Oslo")
	expect(load("/changes.csv", map[string]any{"mode": "upsert", "key": []string{"id"}}), "upsert", "1 Bonn, 3 Bergen, 4 Kyiv")
	refused(load("/twice.csv", map[string]any{"mode": "upsert", "key": []string{"id"}}), "key_unusable")
	refused(load("/january.csv", map[string]any{"mode": "append"}), "value_invalid")
	refused(load("/other.csv", map[string]any{"mode": "append"}), "columns_differ")
	refused(load("/all.csv", map[string]any{}), "table_exists")
	if rights := column[bool](t, conn, `SELECT EXISTS (SELECT FROM pg_class, aclexplode(relacl) WHERE oid = 'trips'::regclass AND grantee = 0)`); !rights[0] {
		t.Error("the grant is gone")
	}
	expectNoStaging(t, conn)
}
