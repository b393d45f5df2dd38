package rpc

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	sluicev1 "sluice/pkg/proto/sluice/v1"
)

func TestFields(t *testing.T) {
	for name, tt := range map[string]struct {
		message proto.Message
		want    string
	}{
		"nothing":   {&sluicev1.CreateJobRequest{}, `{}`},
		"one field": {&sluicev1.CreateJobRequest{File: &sluicev1.CreateJobRequest_Url{Url: "http://a/b"}}, `{"url":"http://a/b"}`},
		"an upload": {&sluicev1.CreateJobRequest{File: &sluicev1.CreateJobRequest_Upload{Upload: "upload:x"}}, `{"upload":"upload:x"}`},
		"much": {&sluicev1.CreateJobRequest{
			Table: "t", Mode: sluicev1.Mode_MODE_UPSERT, Key: []string{"a", "b"}, Priority: sluicev1.Priority_PRIORITY_URGENT, Ordered: true,
			Csv:         &sluicev1.CSV{Delimiter: new(""), Header: new(false), SkipRows: new(int32(0))},
			Null:        &sluicev1.Words{Words: []string{"", "NA"}},
			ColumnNames: sluicev1.ColumnNames_COLUMN_NAMES_SNAKE,
			ExtraFields: sluicev1.ExtraFields_EXTRA_FIELDS_REJECT,
			Headers:     map[string]string{"Authorization": "x"},
			MaxBadRows:  &sluicev1.BadRows{Limit: &sluicev1.BadRows_Percent{Percent: 2.5}},
			Lineage:     true,
			Types:       &sluicev1.Types{Others: sluicev1.OtherTypes_OTHER_TYPES_INFER},
		}, `{"table":"t","mode":"upsert","key":["a","b"],"priority":"urgent","ordered":true,
			"csv":{"delimiter":"","header":false,"skip_rows":0},"null":["","NA"],"column_names":"snake","extra_fields":"reject",
			"headers":{"Authorization":"x"},"max_bad_rows":"2.5%","types":"infer","lineage":true}`},
		"no words":         {&sluicev1.CreateJobRequest{Null: &sluicev1.Words{}}, `{"null":[]}`},
		"a number of rows": {&sluicev1.CreateJobRequest{MaxBadRows: &sluicev1.BadRows{Limit: &sluicev1.BadRows_Rows{Rows: 1 << 60}}}, `{"max_bad_rows":1152921504606846976}`},
		"no bad rows":      {&sluicev1.CreateJobRequest{MaxBadRows: &sluicev1.BadRows{}}, `{"max_bad_rows":0}`},
		"no types":         {&sluicev1.CreateJobRequest{Types: &sluicev1.Types{}}, `{"types":"text"}`},
		"types": {&sluicev1.CreateJobRequest{Types: &sluicev1.Types{
			Others: sluicev1.OtherTypes_OTHER_TYPES_TEXT, Columns: map[string]*sluicev1.ColumnType{"a": {Type: "boolean", True: []string{"ja"}}},
		}}, `{"types":{"*":"text","a":{"type":"boolean","true":["ja"]}}}`},
		"types and no word": {&sluicev1.CreateJobRequest{Types: &sluicev1.Types{
			Columns: map[string]*sluicev1.ColumnType{"a": {Type: "date"}},
		}}, `{"types":{"a":{"type":"date"}}}`},
		"a column called *": {&sluicev1.CreateJobRequest{Types: &sluicev1.Types{
			Others: sluicev1.OtherTypes_OTHER_TYPES_INFER, Columns: map[string]*sluicev1.ColumnType{"*": {Type: "date"}},
		}}, `{"types":{"*":{"type":"date"}}}`},
		"times": {&sluicev1.ListJobsRequest{
			CreatedAfter: timestamppb.New(time.Date(2026, 3, 2, 12, 0, 0, 1e6, time.UTC)), Limit: new(int32(0)),
		}, `{"created_after":"2026-03-02T12:00:00.001Z","limit":0}`},
		"a wait": {&sluicev1.GetJobRequest{Id: "x", Wait: durationpb.New(30 * time.Second)}, `{"id":"x","wait":"30s"}`},
	} {
		t.Run(name, func(t *testing.T) {
			stated, err := fields(tt.message.ProtoReflect())
			if err != nil {
				t.Fatal(err)
			}
			data, err := json.Marshal(stated)
			if err != nil {
				t.Fatal(err)
			}
			if !same(t, data, []byte(tt.want)) {
				t.Errorf("written as %s, want %s", data, tt.want)
			}
		})
	}
}

func same(t testing.TB, a, b []byte) bool {
	t.Helper()
	var x, y any
	for data, into := range map[*[]byte]*any{&a: &x, &b: &y} {
		decoder := json.NewDecoder(strings.NewReader(string(*data)))
		decoder.UseNumber()
		if err := decoder.Decode(into); err != nil {
			t.Fatalf("%v: %s", err, *data)
		}
	}
	return reflect.DeepEqual(x, y)
}

func TestFieldsRefuse(t *testing.T) {
	for name, m := range map[string]proto.Message{
		"a mode that there is not":  &sluicev1.CreateJobRequest{Mode: 99},
		"a state that there is not": &sluicev1.ListJobsRequest{State: -1},
		"types that there are not":  &sluicev1.CreateJobRequest{Types: &sluicev1.Types{Others: 7}},
		"the year 300000":           &sluicev1.ListJobsRequest{CreatedAfter: &timestamppb.Timestamp{Seconds: 1 << 43}},
		"too many nanoseconds":      &sluicev1.ListJobsRequest{CreatedAfter: &timestamppb.Timestamp{Nanos: -1}},
	} {
		if stated, err := fields(m.ProtoReflect()); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%s is written as %v (%v)", name, stated, err)
		}
	}
}

func TestFill(t *testing.T) {
	for name, tt := range map[string]struct{ data, want string }{
		"a job": {`{"id":"x","state":"retrying","priority":"urgent","created_at":"2026-03-02T12:00:00.001Z","queue_position":1,
			"progress":{"phase":"loading","bytes":1152921504606846977,"rows":0,"percent":12.5},"labels":{"a":"b"},
			"warnings":[{"code":"short_row","count":2,"lines":[3,4]}],"links":{"self":"/v1"},"more":{"x":1},"table":null}`,
			`{"id":"x","state":"JOB_STATE_RETRYING","priority":"PRIORITY_URGENT","createdAt":"2026-03-02T12:00:00.001Z","queuePosition":1,
			"progress":{"phase":"PHASE_LOADING","bytes":"1152921504606846977","percent":12.5},"labels":{"a":"b"},
			"warnings":[{"code":"short_row","count":"2","lines":["3","4"]}],"links":{"self":"/v1"}}`},
		"a state of a later API": {`{"state":"paused"}`, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, want := &sluicev1.Job{}, &sluicev1.Job{}
			if err := fill(got.ProtoReflect(), []byte(tt.data)); err != nil {
				t.Fatal(err)
			}
			if err := protojson.Unmarshal([]byte(tt.want), want); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(got, want) {
				t.Errorf("read as %s, want %s", got, want)
			}
		})
	}
	rows := &sluicev1.ListRowsResponse{}
	if err := fill(rows.ProtoReflect(), []byte(`{"rows":[{"n":12345678901234567890.10,"m":"é"}],"next_cursor":"c"}`)); err != nil {
		t.Fatal(err)
	}
	if len(rows.GetRows()) != 1 || rows.GetRows()[0] != `{"n":12345678901234567890.10,"m":"é"}` || rows.GetNextCursor() != "c" {
		t.Errorf("rows are read as %v", rows)
	}
}

func TestFillRefuses(t *testing.T) {
	for _, data := range []string{``, `[]`, `"x"`, `{"id":1}`, `{"run":"1"}`, `{"run":1.5}`, `{"created_at":"noon"}`, `{"warnings":{}}`, `{"labels":[]}`, `{"progress":3}`} {
		if err := fill((&sluicev1.Job{}).ProtoReflect(), []byte(data)); err == nil {
			t.Errorf("%s is read", data)
		}
	}
}

func TestKnown(t *testing.T) {
	unknown := []byte{0xf8, 0x07, 1} // field 127
	with := func(change func(*sluicev1.CreateJobRequest)) *sluicev1.CreateJobRequest {
		m := &sluicev1.CreateJobRequest{Csv: &sluicev1.CSV{}, Types: &sluicev1.Types{Columns: map[string]*sluicev1.ColumnType{"a": {}}}}
		change(m)
		return m
	}
	for name, m := range map[string]*sluicev1.CreateJobRequest{
		"in itself":   with(func(m *sluicev1.CreateJobRequest) { m.ProtoReflect().SetUnknown(unknown) }),
		"in a field":  with(func(m *sluicev1.CreateJobRequest) { m.Csv.ProtoReflect().SetUnknown(unknown) }),
		"in an entry": with(func(m *sluicev1.CreateJobRequest) { m.Types.Columns["a"].ProtoReflect().SetUnknown(unknown) }),
	} {
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := (binary{}).Unmarshal(data, &sluicev1.CreateJobRequest{}); err == nil {
			t.Errorf("what is unknown %s is not refused", name)
		}
	}
	data, err := proto.Marshal(with(func(*sluicev1.CreateJobRequest) {}))
	if err != nil {
		t.Fatal(err)
	}
	if err := (binary{}).Unmarshal(data, &sluicev1.CreateJobRequest{}); err != nil {
		t.Errorf("what is known is refused: %v", err)
	}
}
