package main

import (
	"fmt"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// The union of a family's label names: a vector has one set.
func labelNames(family *dto.MetricFamily) ([]string, bool) {
	var names []string
	for i, metric := range family.Metric {
		if i == 0 {
			for _, label := range metric.Label {
				names = append(names, label.GetName())
			}
		} else if len(metric.Label) != len(names) {
			return nil, false
		}
	}
	return names, true
}

func labelsOf(metric *dto.Metric) prometheus.Labels {
	labels := prometheus.Labels{}
	for _, label := range metric.Label {
		labels[label.GetName()] = label.GetValue()
	}
	return labels
}

// What is no vector of numbers: a handful of histograms.
type constant struct{ metrics []prometheus.Metric }

func (c constant) Describe(chan<- *prometheus.Desc) {}

func (c constant) Collect(out chan<- prometheus.Metric) {
	for _, metric := range c.metrics {
		out <- metric
	}
}

func histograms(family *dto.MetricFamily) constant {
	var c constant
	for _, metric := range family.Metric {
		buckets := map[float64]uint64{}
		for _, bucket := range metric.Histogram.Bucket {
			if bound := bucket.GetUpperBound(); bound < 1e300 {
				buckets[bound] = bucket.GetCumulativeCount()
			}
		}
		desc := prometheus.NewDesc(family.GetName(), family.GetHelp(), nil, labelsOf(metric))
		c.metrics = append(c.metrics, prometheus.MustNewConstHistogram(desc,
			metric.Histogram.GetSampleCount(), metric.Histogram.GetSampleSum(), buckets))
	}
	return c
}

func load(path string, registry *prometheus.Registry) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(file)
	if err != nil {
		return err
	}
	for name, family := range families {
		names, same := labelNames(family)
		if !same {
			return fmt.Errorf("%s: the label names differ", name)
		}
		switch family.GetType() {
		case dto.MetricType_GAUGE:
			vector := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: family.GetHelp()}, names)
			registry.MustRegister(vector)
			for _, metric := range family.Metric {
				vector.With(labelsOf(metric)).Set(metric.Gauge.GetValue())
			}
		case dto.MetricType_COUNTER:
			vector := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: family.GetHelp()}, names)
			registry.MustRegister(vector)
			for _, metric := range family.Metric {
				vector.With(labelsOf(metric)).Add(metric.Counter.GetValue())
			}
		case dto.MetricType_HISTOGRAM:
			registry.MustRegister(histograms(family))
		default:
			return fmt.Errorf("%s: no such type here", name)
		}
	}
	return nil
}
