package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// exchange writes raw bytes to a site and reads that many answers.
func exchange(t *testing.T, address, request string, answers int) []*http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { _, _ = io.WriteString(conn, request) }()
	var got []*http.Response
	reader := bufio.NewReader(conn)
	for range answers {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("after %d answers: %v", len(got), err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		got = append(got, response)
	}
	return got
}

const head = "Host: localhost:8080\r\nContent-Type: application/json\r\n"

// A body that nobody read must not be taken for the next request.
func TestWhatIsLeftOfABodyIsNoRequest(t *testing.T) {
	t.Parallel()
	address := newSite(t).live()
	smuggled := "GET /openapi.json HTTP/1.1\r\n" + head + "\r\n"
	for name, first := range map[string]string{
		"no such address": fmt.Sprintf("POST /nothing-here HTTP/1.1\r\n"+head+"Content-Length: %d\r\n\r\n", len(smuggled)) + smuggled,
		"not admitted":    fmt.Sprintf("POST /v1/me/password HTTP/1.1\r\n"+head+"Content-Length: %d\r\n\r\n", len(smuggled)) + smuggled,
		"broken off":      fmt.Sprintf("POST /v1/login HTTP/1.1\r\n"+head+"Content-Length: %d\r\n\r\n{]", len(smuggled)+2) + smuggled,
		"in chunks":       fmt.Sprintf("POST /v1/me/password HTTP/1.1\r\n"+head+"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled),
		"read in chunks":  "POST /v1/login HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"where none goes": fmt.Sprintf("GET /healthz HTTP/1.1\r\n"+head+"Content-Length: %d\r\n\r\n", len(smuggled)) + smuggled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers := exchange(t, address, first+"GET /readyz HTTP/1.1\r\n"+head+"X-Last: 1\r\n\r\n", 2)
			if kind := answers[1].Header.Get("Content-Type"); answers[1].StatusCode != http.StatusOK || answers[1].ContentLength > 200 {
				t.Errorf("the next answer is %d, %s of %d bytes", answers[1].StatusCode, kind, answers[1].ContentLength)
			}
		})
	}
}

// What is longer than anything we take ends its connection, after the answer.
func TestABodyWithoutEndEndsTheConnection(t *testing.T) {
	t.Parallel()
	address := newSite(t).live()
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"announced":         {"POST /v1/login HTTP/1.1\r\n" + head + "Content-Length: 99999999999\r\n\r\n" + strings.Repeat(" ", 10_000), 413},
		"in endless chunks": {"POST /v1/login HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("100000\r\n"+strings.Repeat(" ", 1<<20)+"\r\n", 14), 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := exchange(t, address, c.request, 1)[0]
			if answer.StatusCode != c.status || !answer.Close {
				t.Errorf("%d, closed: %v", answer.StatusCode, answer.Close)
			}
		})
	}
}

// Two kilobytes can unpack to gigabytes. Of several headers frameworks take the
// first or the last.
func TestNoEncodingIsUnpacked(t *testing.T) {
	t.Parallel()
	address := newSite(t).live()
	for _, encoding := range []string{"Content-Encoding: gzip\r\n", "Content-Encoding: \r\nContent-Encoding: gzip, gzip\r\n", "content-encoding: identity\r\nContent-Encoding:br\r\n", "Content-Encoding:\r\n"} {
		answer := exchange(t, address, "POST /v1/login HTTP/1.1\r\n"+head+encoding+"Content-Length: 2\r\n\r\n{}", 1)[0]
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", encoding, answer.StatusCode)
		}
	}
}
