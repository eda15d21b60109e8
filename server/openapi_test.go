package server_test

import (
	"net/http"
	"testing"
)

func checkAgainstOpenAPI(t testing.TB, method, path string, body any, kind string, request *http.Request, a *answer) {
}
