package redact

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Core wraps a core so that secrets are taken out of messages, stacks and fields before they reach it.
func (r *Redactor) Core(inner zapcore.Core) zapcore.Core { return &core{Core: inner, r: r} }

type core struct {
	zapcore.Core
	r *Redactor
}

// With implements zapcore.Core.
func (c *core) With(fields []zapcore.Field) zapcore.Core {
	return &core{Core: c.Core.With(c.r.fields(fields)), r: c.r}
}

// Check implements zapcore.Core. The wrapped core must not add itself, or the entry would be written as it is.
func (c *core) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c *core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	entry.Message, entry.Stack = c.r.String(entry.Message), c.r.String(entry.Stack)
	return c.Core.Write(entry, c.r.fields(fields))
}

func (r *Redactor) fields(fields []zapcore.Field) []zapcore.Field {
	if len(fields) == 0 {
		return nil
	}
	out := make([]zapcore.Field, len(fields))
	for i, f := range fields {
		out[i] = r.field(f)
	}
	return out
}

// field gives a field that can be written. Numbers, times and the like hold no text; whatever holds some becomes plain text or plain data
// first, so that nothing is left that would write itself later.
func (r *Redactor) field(f zapcore.Field) zapcore.Field {
	if secretKey(f.Key) && f.Type != zapcore.SkipType && f.Type != zapcore.NamespaceType {
		return zap.String(f.Key, Hidden)
	}
	switch f.Type {
	case zapcore.StringType:
		if f.Key != traceKey || !traceID.MatchString(f.String) || r.registered(f.String) {
			f.String = r.String(f.String)
		}
		return f
	case zapcore.ErrorType, zapcore.StringerType, zapcore.ReflectType, zapcore.ArrayMarshalerType, zapcore.ObjectMarshalerType, zapcore.InlineMarshalerType,
		zapcore.BinaryType, zapcore.ByteStringType, zapcore.UnknownType:
		return r.opaque(f)
	case zapcore.BoolType, zapcore.Complex128Type, zapcore.Complex64Type, zapcore.DurationType, zapcore.Float64Type, zapcore.Float32Type,
		zapcore.Int64Type, zapcore.Int32Type, zapcore.Int16Type, zapcore.Int8Type, zapcore.TimeType, zapcore.TimeFullType, zapcore.Uint64Type,
		zapcore.Uint32Type, zapcore.Uint16Type, zapcore.Uint8Type, zapcore.UintptrType, zapcore.NamespaceType, zapcore.SkipType:
		return f
	}
	return zap.String(f.Key, Hidden) // a type of the future
}

func (r *Redactor) opaque(f zapcore.Field) zapcore.Field {
	switch f.Type { //nolint:exhaustive // the others hold a tree
	case zapcore.ErrorType, zapcore.StringerType:
		return zap.String(f.Key, r.String(fmt.Sprint(f.Interface))) // Sprint survives a nil that cannot print itself
	case zapcore.BinaryType, zapcore.ByteStringType:
		text, ok := f.Interface.([]byte)
		if !ok {
			return zap.String(f.Key, Hidden)
		}
		return zap.String(f.Key, r.String(string(text)))
	case zapcore.ReflectType:
		return zap.Reflect(f.Key, r.plain(f.Interface))
	}
	tree := zapcore.NewMapObjectEncoder()
	f.AddTo(tree)
	if f.Type == zapcore.InlineMarshalerType {
		return zap.Inline(members(r.members(tree.Fields)))
	}
	return zap.Reflect(f.Key, r.value(tree.Fields[f.Key]))
}

// members writes a map as fields of the line itself.
type members map[string]any

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (m members) MarshalLogObject(to zapcore.ObjectEncoder) error {
	for key, v := range m {
		if err := to.AddReflected(key, v); err != nil {
			return err
		}
	}
	return nil
}

func (r *Redactor) members(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for key, v := range m {
		if secretKey(key) {
			v = Hidden
		}
		out[r.String(key)] = r.value(v)
	}
	return out
}

func (r *Redactor) value(v any) any {
	switch v := v.(type) {
	case nil, bool, int, int64, int32, int16, int8, uint, uint64, uint32, uint16, uint8, float64, float32, json.Number:
		return v
	case string:
		return r.String(v)
	case []byte:
		return r.String(string(v))
	case map[string]any:
		return r.members(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = r.value(item)
		}
		return out
	case error:
		return r.String(v.Error())
	case fmt.Stringer:
		return r.String(fmt.Sprint(v))
	}
	return r.plain(v)
}

// plain turns any value into what JSON makes of it, as the encoder would have done, without what must not show.
func (r *Redactor) plain(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return Hidden
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) != nil {
		return Hidden
	}
	return r.value(tree)
}
