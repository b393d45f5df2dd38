package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// pageSize is the largest page that the API gives.
const pageSize = 1000

// follow asks for page after page until there are as many items as wanted, 0 for all, or no more. Each call of ask gets the size
// and the cursor of its page, and returns how many items it got and the cursor of the next one. Follow returns whether there are
// more.
func follow(wanted int, ask func(size int, cursor *string) (got int, next *string, err error)) (more bool, err error) {
	var cursor *string
	for have := 0; ; {
		size := pageSize
		if wanted > 0 {
			size = min(size, wanted-have)
		}
		got, next, err := ask(size, cursor)
		if err != nil {
			return false, err
		}
		have += got
		if next == nil {
			return false, nil
		}
		if wanted > 0 && have >= wanted {
			return true, nil
		}
		cursor = next
	}
}

// document is one JSON document of several pages: that of the last page, with the items of all.
type document struct {
	list  string // the name of the items
	items []json.RawMessage
	last  map[string]json.RawMessage
	names []string // in their order
}

func (d *document) add(page json.RawMessage) error {
	var items []json.RawMessage
	d.last = nil
	if err := json.Unmarshal(page, &d.last); err != nil {
		return fmt.Errorf("reading a page: %w", err)
	}
	if err := json.Unmarshal(d.last[d.list], &items); err != nil {
		return fmt.Errorf("reading a page: %w", err)
	}
	d.items = append(d.items, items...)
	var err error
	d.names, err = names(page)
	return err
}

// names are those of an object's members, in their order.
func names(object json.RawMessage) ([]string, error) {
	tokens := json.NewDecoder(bytes.NewReader(object))
	var list []string
	if _, err := tokens.Token(); err != nil {
		return nil, fmt.Errorf("reading an object: %w", err)
	}
	for tokens.More() {
		name, err := tokens.Token()
		if err != nil {
			return nil, fmt.Errorf("reading an object: %w", err)
		}
		text, ok := name.(string)
		if !ok {
			return nil, fmt.Errorf("reading an object: %v is no name", name)
		}
		list = append(list, text)
		var skipped json.RawMessage
		if err := tokens.Decode(&skipped); err != nil {
			return nil, fmt.Errorf("reading an object: %w", err)
		}
	}
	return list, nil
}

// bytes is the document.
func (d *document) bytes() json.RawMessage {
	b := []byte{'{'}
	for i, name := range d.names {
		if i > 0 {
			b = append(b, ',')
		}
		quoted, _ := json.Marshal(name) // a string always can be
		b = append(append(b, quoted...), ':')
		if name != d.list {
			b = append(b, d.last[name]...)
			continue
		}
		b = append(b, '[')
		for i, item := range d.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, item...)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}
