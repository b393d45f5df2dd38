package api

import (
	"maps"
	"slices"
	"strings"
)

// happened remembers that an answer that the document tells of was given.
func (d *description) happened(keys []string, media string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.met[occurrence(keys, media)] = true
}

func occurrence(keys []string, media string) string {
	return strings.Join(append(slices.Clone(keys), media), " ")
}

// unmet lists the answers that the document tells of and that no test has met.
func (d *description) unmet() []string {
	var missing []string
	paths, _ := d.Object("paths")
	for path := range paths {
		methods, _ := d.Object("paths", path)
		for method := range methods {
			responses, _ := d.Object("paths", path, method, "responses")
			for status := range responses {
				keys := []string{"paths", path, method, "responses", status}
				medias := []string{""}
				if content, _ := d.Object(append(slices.Clone(keys), "content")...); content != nil {
					medias = slices.Sorted(maps.Keys(content))
				}
				for _, media := range medias {
					if !d.met[occurrence(keys, media)] {
						missing = append(missing, strings.TrimSpace(strings.ToUpper(method)+" "+path+" "+status+" "+media))
					}
				}
			}
		}
	}
	slices.Sort(missing)
	return missing
}
