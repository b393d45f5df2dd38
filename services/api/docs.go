package api

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"sync"

	"github.com/labstack/echo/v4"
	swaggerui "github.com/swaggo/files/v2"

	"sluice/services/api/openapi"
	"sluice/services/api/refusal"
)

// docsPolicy lets the page load what it is made of, ask the API, and nothing else. Its styles are partly in its elements.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsIndex is the page itself.
const docsIndex = "index.html"

//go:embed docspage
var docsOwn embed.FS

// docsFiles are the page at /docs and what it is made of, by their names.
var docsFiles = sync.OnceValues(func() (map[string]docsFile, error) {
	own, err := fs.Sub(docsOwn, "docspage")
	if err != nil {
		return nil, fmt.Errorf("reading the page at /docs: %w", err)
	}
	files := map[string]docsFile{}
	for name, from := range map[string]struct {
		fs        fs.FS
		mediaType string
	}{
		docsIndex:              {own, "text/html; charset=utf-8"},
		"start.js":             {own, "text/javascript; charset=utf-8"},
		"swagger-ui-bundle.js": {swaggerui.FS, "text/javascript; charset=utf-8"},
		"swagger-ui.css":       {swaggerui.FS, "text/css; charset=utf-8"},
		"favicon-32x32.png":    {swaggerui.FS, "image/png"},
	} {
		content, err := fs.ReadFile(from.fs, name)
		if err != nil {
			return nil, fmt.Errorf("reading the page at /docs: %w", err)
		}
		files[name] = docsFile{content: content, mediaType: from.mediaType, tag: etagOfBytes(content)}
	}
	return files, nil
})

// docsFile is a part of the page.
type docsFile struct {
	content   []byte
	mediaType string
	tag       etag
}

// VisitGetDocsResponse implements [openapi.GetDocsResponseObject].
func (f docsFile) VisitGetDocsResponse(w http.ResponseWriter) error {
	for name, value := range map[string]string{
		echo.HeaderContentType: f.mediaType, echo.HeaderContentLength: strconv.Itoa(len(f.content)),
		"ETag": string(f.tag), echo.HeaderCacheControl: "no-cache", // that is: ask again, by the ETag
		echo.HeaderContentSecurityPolicy: docsPolicy,
	} {
		w.Header().Set(name, value)
	}
	w.WriteHeader(http.StatusOK)
	if _, err := w.Write(f.content); err != nil {
		return fmt.Errorf("sending the page: %w", err)
	}
	return nil
}

// VisitGetDocsAssetResponse implements [openapi.GetDocsAssetResponseObject].
func (f docsFile) VisitGetDocsAssetResponse(w http.ResponseWriter) error {
	return f.VisitGetDocsResponse(w)
}

// GetDocs answers with a page that shows the document and lets calls be tried.
func (s *Service) GetDocs(_ context.Context, r openapi.GetDocsRequestObject) (openapi.GetDocsResponseObject, error) {
	files, err := docsFiles()
	if err != nil {
		return nil, err
	}
	page := files[docsIndex]
	if page.tag.in(r.Params.IfNoneMatch) {
		return page.tag.notModified(), nil
	}
	return page, nil
}

// GetDocsAsset answers with a part of the page at /docs.
func (s *Service) GetDocsAsset(_ context.Context, r openapi.GetDocsAssetRequestObject) (openapi.GetDocsAssetResponseObject, error) {
	files, err := docsFiles()
	if err != nil {
		return nil, err
	}
	file, ok := files[r.Asset]
	switch {
	case !ok || r.Asset == docsIndex:
		return nil, refusal.New(refusal.NotFound, "the page at /docs has no such part")
	case file.tag.in(r.Params.IfNoneMatch):
		return file.tag.notModified(), nil
	}
	return file, nil
}
