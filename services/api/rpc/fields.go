package rpc

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	sluicev1 "sluice/pkg/proto/sluice/v1"
)

// fields returns what a message states, in the words of the REST API, as [encoding/json] writes it.
func fields(m protoreflect.Message) (map[string]any, error) {
	stated := map[string]any{}
	var failed error
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		stated[string(f.Name())], failed = field(f, v)
		return failed == nil
	})
	return stated, failed
}

func field(f protoreflect.FieldDescriptor, v protoreflect.Value) (any, error) {
	var failed error
	switch {
	case f.IsList():
		list := make([]any, v.List().Len())
		for i := range list {
			if list[i], failed = single(f, v.List().Get(i)); failed != nil {
				break
			}
		}
		return list, failed
	case f.IsMap():
		object := make(map[string]any, v.Map().Len())
		v.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
			object[key.String()], failed = single(f.MapValue(), v)
			return failed == nil
		})
		return object, failed
	}
	return single(f, v)
}

func single(f protoreflect.FieldDescriptor, v protoreflect.Value) (any, error) {
	switch f.Kind() {
	case protoreflect.EnumKind:
		value := f.Enum().Values().ByNumber(v.Enum())
		if value == nil || value.Number() == 0 {
			return nil, invalid(string(f.Name()), fmt.Sprintf("has no value %d", v.Enum()))
		}
		return word(value), nil
	case protoreflect.MessageKind:
		return nested(v.Message().Interface())
	}
	return v.Interface(), nil
}

// nested writes messages as JSON that is written otherwise than as an object with the same fields.
func nested(m proto.Message) (any, error) {
	switch m := m.(type) {
	case *timestamppb.Timestamp:
		if err := m.CheckValid(); err != nil {
			return nil, invalid("", "a time must be from year 1 to 9999")
		}
		return m.AsTime().Format(time.RFC3339Nano), nil
	case *durationpb.Duration:
		return strconv.FormatFloat(m.AsDuration().Seconds(), 'f', -1, 64) + "s", nil
	case *sluicev1.Words:
		return append([]string{}, m.GetWords()...), nil
	case *sluicev1.BadRows:
		if _, ok := m.GetLimit().(*sluicev1.BadRows_Percent); ok {
			return strconv.FormatFloat(m.GetPercent(), 'f', -1, 64) + "%", nil
		}
		return m.GetRows(), nil
	case *sluicev1.Types:
		return types(m)
	}
	return fields(m.ProtoReflect())
}

// types writes a word if it says it all, and else an object in which the word is that for "*".
func types(m *sluicev1.Types) (any, error) {
	stated, err := fields(m.ProtoReflect())
	if err != nil {
		return nil, err
	}
	others, columns := stated["others"], stated["columns"]
	switch object, _ := columns.(map[string]any); {
	case others == nil && object == nil:
		return "text", nil
	case object == nil:
		return others, nil
	case others != nil && object["*"] == nil:
		object["*"] = others
	}
	return columns, nil
}

// word is how the REST API writes an enum's value: JOB_STATE_QUEUED is queued.
func word(value protoreflect.EnumValueDescriptor) string {
	enum, _ := value.Parent().(protoreflect.EnumDescriptor)
	unset := string(enum.Values().ByNumber(0).Name())
	return strings.ToLower(strings.TrimPrefix(string(value.Name()), strings.TrimSuffix(unset, "UNSPECIFIED")))
}
