package api

import "github.com/labstack/echo/v4"

// guardAnswers has browsers take answers for what they say they are, and caches keep none: with an ETag they may be kept by
// whoever asked, and are asked about each time.
func guardAnswers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		header.Set(echo.HeaderXContentTypeOptions, "nosniff")
		c.Response().Before(func() {
			switch {
			case header.Get(echo.HeaderCacheControl) != "":
			case header.Get("ETag") != "":
				header.Set(echo.HeaderCacheControl, "private, no-cache")
			default:
				header.Set(echo.HeaderCacheControl, "no-store")
			}
		})
		return next(c)
	}
}
