package check

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// ours is the name of everything that is watchkeeper's own.
const ours = "watchkeeper"

// An object is one rendered manifest.
type object map[string]any

func (o object) kind() string { return o.text("kind") }
func (o object) name() string { return o.text("metadata", "name") }
func (o object) id() string   { return o.kind() + "/" + o.name() }

func (o object) text(path ...string) string {
	s, _ := o.at(path...).(string)
	return s
}

// at finds a value by its path; a number is an index.
func (o object) at(path ...string) any {
	var v any = map[string]any(o)
	for _, step := range path {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// A set is everything that one installation is made of.
type set []object

// find gives the only object of a kind and a name; a name that ends in a dash is the beginning of one that ends in a hash.
func (s set) find(kind, name string) object {
	for _, o := range s {
		if o.kind() == kind && (o.name() == name || strings.HasSuffix(name, "-") && strings.HasPrefix(o.name(), name)) {
			return o
		}
	}
	return nil
}

// parse reads the documents of a stream.
func parse(raw []byte) (set, error) {
	var out set
	docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw)))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("split documents: %w", err)
		}
		var o object
		if err := yaml.UnmarshalStrict(doc, &o); err != nil {
			return nil, fmt.Errorf("read a document: %w", err)
		}
		if len(o) > 0 {
			out = append(out, o)
		}
	}
}

// known are the types of the objects, as the API server and the Prometheus Operator declare them.
var known = func() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme, autoscalingv2.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme, monitoringv1.AddToScheme,
	} {
		utilruntime.Must(add(s))
	}
	return s
}()

var codec = serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()

// decode makes the real thing of an object. A field that its type does not have, or has twice, is an error.
func decode(o object) (runtime.Object, error) {
	raw, err := yaml.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.id(), err)
	}
	out, _, err := codec.Decode(raw, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.id(), err)
	}
	return out, nil
}

// as finds an object and makes the real thing of it.
func as[T runtime.Object](s set, kind, name string) (T, error) {
	var none T
	o := s.find(kind, name)
	if o == nil {
		return none, fmt.Errorf("there is no %s %s", kind, name)
	}
	decoded, err := decode(o)
	if err != nil {
		return none, err
	}
	out, ok := decoded.(T)
	if !ok {
		return none, fmt.Errorf("%s is a %T", o.id(), decoded)
	}
	return out, nil
}

// clone copies a set, so that a test may spoil it.
func (s set) clone(t *testing.T) set {
	t.Helper()
	var all bytes.Buffer
	for _, o := range s {
		raw, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "---\n%s", raw)
	}
	out, err := parse(all.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// put sets what is at a path of an object, or takes it away when the value is nil.
func (s set) put(t *testing.T, kind, name, path string, value any) {
	t.Helper()
	o := s.find(kind, name)
	if o == nil {
		t.Fatalf("there is no %s %s to change", kind, name)
	}
	steps := strings.Split(path, ".")
	last := steps[len(steps)-1]
	switch in := o.at(steps[:len(steps)-1]...).(type) {
	case map[string]any:
		if value == nil {
			delete(in, last)
		} else {
			in[last] = value
		}
	case object:
		in[last] = value
	case []any:
		i, err := strconv.Atoi(last)
		if err != nil || i >= len(in) {
			t.Fatalf("%s has no %s", o.id(), path)
		}
		in[i] = value
	default:
		t.Fatalf("%s has no %s", o.id(), path)
	}
}

// drop takes an object away.
func (s set) drop(kind string) set {
	return slices.DeleteFunc(s, func(o object) bool { return o.kind() == kind })
}
