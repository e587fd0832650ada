package daemon

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	ours "github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// metrics are what a Prometheus server may read: numbers, and the names of accounts and targets. They hold no word of a post and no
// person. Most are read from the log when they are asked for, so they say what the log says.
type metrics struct {
	registry *prometheus.Registry
	put      prometheus.Histogram
	failed   prometheus.Counter
	underWay prometheus.Gauge
	kept     prometheus.Counter
	writing  atomic.Int64 // batches under way, as underWay
}

func newMetrics(build string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		put: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "muhafiz_put_seconds", Help: "How long a source waited until what it observed was on disk.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16), // 0.5 ms to 16 s
		}),
		failed:   prometheus.NewCounter(prometheus.CounterOpts{Name: "muhafiz_put_failures_total", Help: "Batches that could not be made durable."}),
		underWay: prometheus.NewGauge(prometheus.GaugeOpts{Name: "muhafiz_put_queue", Help: "Batches that wait to be durable now."}),
		kept:     prometheus.NewCounter(prometheus.CounterOpts{Name: "muhafiz_kept_bytes_total", Help: "Bytes of replies and files that were made durable since the start."}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "muhafiz_build_info", Help: "Always 1; the labels name the build.",
		ConstLabels: prometheus.Labels{"build": build, "goversion": runtime.Version()},
	})
	info.Set(1)
	m.registry.MustRegister(m.put, m.failed, m.underWay, m.kept, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// handler serves the metrics as text.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: scrapeLimit, MaxRequestsInFlight: 4})
}

// scrapeLimit bounds one reading of the log for the metrics.
const scrapeLimit = 20 * time.Second

// busy reports whether a source waits for its batch.
func (m *metrics) busy() bool { return m.writing.Load() > 0 }

// measured is the vault as sources get it.
type measured struct {
	ours.Sink
	m *metrics
}

// Put implements collectors.Sink.
func (s measured) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	s.m.underWay.Inc()
	defer s.m.underWay.Dec()
	s.m.writing.Add(1)
	defer s.m.writing.Add(-1)
	began := time.Now()
	recs, err := s.Sink.Put(ctx, b)
	if err != nil {
		if ctx.Err() == nil {
			s.m.failed.Inc()
		}
		return recs, err
	}
	s.m.put.Observe(time.Since(began).Seconds())
	return recs, nil
}

// Keep implements collectors.Sink.
func (s measured) Keep(ctx context.Context, r io.Reader, limit int64) (evidence.Digest, int64, error) {
	d, n, err := s.Sink.Keep(ctx, r, limit)
	if err == nil {
		s.m.kept.Add(float64(n))
	}
	return d, n, err
}

// KeepFile implements collectors.FileSink.
func (s measured) KeepFile(ctx context.Context, r io.Reader, path string, limit int64) (evidence.Digest, int64, error) {
	d, n, err := ours.KeepFile(ctx, s.Sink, r, path, limit)
	if err == nil {
		s.m.kept.Add(float64(n))
	}
	return d, n, err
}
