package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/pkg/bus"
	"sluice/pkg/seal"
)

func TestOwnOnly(t *testing.T) {
	for name, tt := range map[string]struct {
		host, header, value string
		anyHost, keys       bool
		refused             bool
	}{
		"curl":                        {host: "localhost:3000"},
		"curl by address":             {host: "127.0.0.1:3000"},
		"curl by IPv6 address":        {host: "[::1]:3000"},
		"without a port":              {host: "localhost"},
		"a page of its own":           {host: "localhost:3000", header: "Origin", value: "http://localhost:3000"},
		"a page of another site":      {host: "localhost:3000", header: "Origin", value: "http://evil.example", refused: true},
		"a page without an origin":    {host: "localhost:3000", header: "Origin", value: "null", refused: true},
		"another port":                {host: "localhost:3000", header: "Origin", value: "http://localhost:8000", refused: true},
		"a form, told by the browser": {host: "localhost:3000", header: "Sec-Fetch-Site", value: "cross-site", refused: true},
		"a name pointed at us":        {host: "evil.example:3000", refused: true},
		"behind a proxy":              {host: "sluice.example.com", anyHost: true},
		"a page, behind a proxy":      {host: "sluice.example.com", header: "Origin", value: "http://evil.example", anyHost: true, refused: true},
		"a name, with keys":           {host: "sluice.example.com", keys: true},
		"a page, with keys":           {host: "localhost:3000", header: "Origin", value: "http://evil.example", keys: true, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			config := DefaultConfig()
			config.LocalOnly, config.RequireKeys = !tt.anyHost, tt.keys
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/download_file", strings.NewReader("fileUrl="))
			r.Host = tt.host
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if tt.header != "" {
				r.Header.Set(tt.header, tt.value)
			}
			w := httptest.NewRecorder()
			New(config, &bus.Bus{}, seal.Sealer{}).Handler().ServeHTTP(w, r)
			if refused := strings.Contains(w.Body.String(), `"code":"cross_origin"`) && w.Code == http.StatusForbidden; refused != tt.refused {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}
