package server_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/server"
	"github.com/sallyport/sallyport/server/web"
)

// BenchmarkForwardAuth holds what a proxy asks before each request of an app against a
// look at the session, over loopback and by turns. One iteration is a hundred of each by
// eight clients.
func BenchmarkForwardAuth(b *testing.B) {
	s := newSite(b).shielded()
	ada, app := s.withTOTP("ada"), s.at("app.localhost")
	app.enter(ada, "/")
	served := s.newServer(slog.New(slog.DiscardHandler), func(d *server.Deps) { d.Proxies = web.TrustedProxies{netip.MustParsePrefix("127.0.0.1/32")} })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = served.Serve(ctx, listener, time.Second) })
	defer running.Wait()
	defer stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	defer client.CloseIdleConnections()
	ask := func(path string, header map[string]string, cookies map[string]string) time.Duration {
		start := time.Now()
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				for range 13 {
					request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listener.Addr().String()+path, nil)
					if err != nil {
						b.Error(err)
						return
					}
					for name, value := range header {
						request.Header.Set(name, value)
					}
					for name, value := range cookies {
						request.AddCookie(&http.Cookie{Name: name, Value: value})
					}
					response, err := client.Do(request)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
					if response.StatusCode != http.StatusOK {
						b.Errorf("%s: %d", path, response.StatusCode)
					}
				}
			})
		}
		clients.Wait()
		return time.Since(start)
	}
	var asked, looked time.Duration
	for b.Loop() {
		asked += ask("/authz/nginx", map[string]string{"X-Original-URL": "https://app.localhost/notes", "X-Original-Method": "GET"}, app.cookies)
		looked += ask("/v1/session", nil, ada.cookies)
	}
	b.ReportMetric(asked.Seconds()/looked.Seconds(), "x:session")
	b.ReportMetric(float64(asked.Microseconds())/float64(b.N*8*13), "us/request")
	b.ReportMetric(0, "ns/op")
}
