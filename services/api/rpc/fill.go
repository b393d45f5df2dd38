package rpc

import (
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// fill reads JSON of the REST API into a message. A field that the message has no place for is left out.
func fill(m protoreflect.Message, data []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return fmt.Errorf("reading %s: %w", m.Descriptor().Name(), err)
	}
	for name, value := range object {
		f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if f == nil || string(value) == "null" {
			continue
		}
		if err := set(m, f, value); err != nil {
			return fmt.Errorf("reading field %s: %w", name, err)
		}
	}
	return nil
}

func set(m protoreflect.Message, f protoreflect.FieldDescriptor, data []byte) error {
	switch {
	case f.IsList():
		var items []json.RawMessage
		if err := json.Unmarshal(data, &items); err != nil {
			return err
		}
		list := m.Mutable(f).List()
		for _, item := range items {
			v, err := value(f, list.NewElement, item)
			if err != nil {
				return err
			}
			list.Append(v)
		}
		return nil
	case f.IsMap():
		var entries map[string]json.RawMessage
		if err := json.Unmarshal(data, &entries); err != nil {
			return err
		}
		object := m.Mutable(f).Map()
		for key, entry := range entries {
			v, err := value(f.MapValue(), object.NewValue, entry)
			if err != nil {
				return err
			}
			object.Set(protoreflect.ValueOfString(key).MapKey(), v)
		}
		return nil
	}
	v, err := value(f, func() protoreflect.Value { return m.NewField(f) }, data)
	if err == nil {
		m.Set(f, v)
	}
	return err
}

// value reads a single value; made makes an empty message for it.
func value(f protoreflect.FieldDescriptor, made func() protoreflect.Value, data []byte) (protoreflect.Value, error) {
	switch f.Kind() {
	case protoreflect.MessageKind:
		v := made()
		if stamp, ok := v.Message().Interface().(*timestamppb.Timestamp); ok {
			at, err := decoded[time.Time](data)
			stamp.Seconds, stamp.Nanos = at.Unix(), int32(at.Nanosecond()) //nolint:gosec // less than 1e9
			return v, err
		}
		return v, fill(v.Message(), data)
	case protoreflect.EnumKind:
		text, err := decoded[string](data)
		return protoreflect.ValueOfEnum(number(f.Enum(), text)), err
	case protoreflect.BoolKind:
		v, err := decoded[bool](data)
		return protoreflect.ValueOfBool(v), err
	case protoreflect.Int32Kind:
		v, err := decoded[int32](data)
		return protoreflect.ValueOfInt32(v), err
	case protoreflect.Int64Kind:
		v, err := decoded[int64](data)
		return protoreflect.ValueOfInt64(v), err
	case protoreflect.DoubleKind:
		v, err := decoded[float64](data)
		return protoreflect.ValueOfFloat64(v), err
	case protoreflect.StringKind:
		if data[0] == '{' { // a row, which stays the text that it is
			return protoreflect.ValueOfString(string(data)), nil
		}
		v, err := decoded[string](data)
		return protoreflect.ValueOfString(v), err
	}
	return protoreflect.Value{}, fmt.Errorf("a field of kind %s is not read", f.Kind())
}

func decoded[T any](data []byte) (T, error) {
	var v T
	return v, json.Unmarshal(data, &v)
}

// number is that of an enum's value which is written as a word; 0 if there is none.
func number(enum protoreflect.EnumDescriptor, text string) protoreflect.EnumNumber {
	for i := range enum.Values().Len() {
		if v := enum.Values().Get(i); v.Number() != 0 && word(v) == text {
			return v.Number()
		}
	}
	return 0
}
