package rpc

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxDepth is how deep JSON may be.
const maxDepth = 32

// text is JSON with the names that fields have in the REST API. What is not known is refused: a misspelt option must not be
// ignored. It implements [connect.Codec].
type text struct{ name string }

// Name implements [connect.Codec].
func (c text) Name() string { return c.name }

// Marshal implements [connect.Codec].
func (text) Marshal(v any) ([]byte, error) {
	m, err := message(v)
	if err != nil {
		return nil, err
	}
	return protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}.Marshal(m)
}

// Unmarshal implements [connect.Codec].
func (text) Unmarshal(data []byte, v any) error {
	m, err := message(v)
	if err != nil {
		return err
	}
	if len(data) == 0 {
		return errors.New("the body is empty; send a JSON object")
	}
	return protojson.UnmarshalOptions{RecursionLimit: maxDepth}.Unmarshal(data, m)
}

// binary is Protobuf's own encoding. An option that a newer client has stated is refused as well. It implements
// [connect.Codec].
type binary struct{}

// Name implements [connect.Codec].
func (binary) Name() string { return "proto" }

// Marshal implements [connect.Codec].
func (binary) Marshal(v any) ([]byte, error) {
	m, err := message(v)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(m)
}

// Unmarshal implements [connect.Codec].
func (binary) Unmarshal(data []byte, v any) error {
	m, err := message(v)
	if err != nil {
		return err
	}
	if err := (proto.UnmarshalOptions{RecursionLimit: maxDepth}).Unmarshal(data, m); err != nil {
		return err
	}
	return known(m.ProtoReflect())
}

// known fails if a message, or one in it, has a field that is not known.
func known(m protoreflect.Message) error {
	if len(m.GetUnknown()) > 0 {
		return fmt.Errorf("%s has a field that is not known", m.Descriptor().Name())
	}
	var failed error
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				failed = known(v.Message())
				return failed == nil
			})
		case f.IsList() && f.Message() != nil:
			for i := range v.List().Len() {
				failed = errors.Join(failed, known(v.List().Get(i).Message()))
			}
		case !f.IsMap() && !f.IsList() && f.Message() != nil:
			failed = known(v.Message())
		}
		return failed == nil
	})
	return failed
}

func message(v any) (proto.Message, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no message", v)
	}
	return m, nil
}
