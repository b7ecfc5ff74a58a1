package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

const pageSize = 100

type spec struct {
	CPU    *float64 `json:"cpu"`
	Memory string   `json:"memory"`
}

type basic struct {
	Parallelism *int64 `json:"parallelism"`
	JobManager  spec   `json:"jobmanagerResourceSettingSpec"`
	TaskManager spec   `json:"taskmanagerResourceSettingSpec"`
}

type setting struct {
	Mode    string `json:"resourceSettingMode"`
	MaxSlot *int64 `json:"maxSlot"`
	Basic   *basic `json:"basicResourceSetting"`
	Expert  *struct {
		JobManager spec `json:"jobmanagerResourceSettingSpec"`
	} `json:"expertResourceSetting"`
}

type deployment struct {
	ID     string `json:"deploymentId"`
	Name   string `json:"name"`
	Engine string `json:"engineVersion"`
	Mode   string `json:"executionMode"`
	Target struct {
		Mode string `json:"mode"`
		Name string `json:"name"`
	} `json:"deploymentTarget"`
	Artifact struct {
		Kind string `json:"kind"`
	} `json:"artifact"`
	Jobs      map[string]int64 `json:"jobSummary"`
	Changed   *bool            `json:"deploymentHasChanged"`
	Draft     string           `json:"referencedDeploymentDraftId"`
	Created   int64            `json:"createdAt"`
	Modified  int64            `json:"modifiedAt"`
	Streaming *setting         `json:"streamingResourceSetting"`
	Batch     *setting         `json:"batchResourceSetting"`
}

type page struct {
	Success bool         `json:"success"`
	Total   int          `json:"totalSize"`
	Data    []deployment `json:"data"`
}

type lister struct {
	url      string
	inFlight int
	client   *http.Client
}

func newLister(url, ca, inFlight string) (*lister, error) {
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(inFlight)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &lister{url: url, inFlight: n, client: &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		MaxIdleConnsPerHost: n,
	}}}, nil
}

func (l *lister) page(number int) (page, error) {
	var p page
	reply, err := l.client.Get(fmt.Sprintf("%s?pageIndex=%d&pageSize=%d", l.url, number, pageSize))
	if err != nil {
		return p, err
	}
	defer reply.Body.Close()
	if err = json.NewDecoder(reply.Body).Decode(&p); err == nil && !p.Success {
		err = fmt.Errorf("page %d: refused", number)
	}
	return p, err
}

func (l *lister) list() ([]deployment, error) {
	first, err := l.page(1)
	if err != nil {
		return nil, err
	}
	pages := make([]page, (first.Total+pageSize-1)/pageSize)
	errors := make([]error, len(pages))
	slots := make(chan struct{}, l.inFlight)
	var all sync.WaitGroup
	for i := 1; i < len(pages); i++ {
		slots <- struct{}{}
		all.Add(1)
		go func(i int) {
			pages[i], errors[i] = l.page(i + 1)
			<-slots
			all.Done()
		}(i)
	}
	all.Wait()
	deployments := make([]deployment, 0, first.Total)
	deployments = append(deployments, first.Data...)
	for i := 1; i < len(pages); i++ {
		if errors[i] != nil {
			return nil, errors[i]
		}
		deployments = append(deployments, pages[i].Data...)
	}
	return deployments, nil
}

type families struct {
	workspace, namespace                               string
	jobs, info, created, modified, changed             *prometheus.GaugeVec
	parallelism, jmCPU, jmMemory, tmCPU, tmMemory, max *prometheus.GaugeVec
}

func newFamilies(registry *prometheus.Registry, workspace, namespace string) *families {
	vector := func(name, help string, more ...string) *prometheus.GaugeVec {
		labels := append([]string{"workspace", "flink_namespace", "deployment_id", "deployment_name"}, more...)
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "aliyun_flink_deployment_" + name, Help: help}, labels)
		registry.MustRegister(v)
		return v
	}
	return &families{
		workspace: workspace, namespace: namespace,
		jobs: vector("jobs", "Jobs by state.", "state"),
		info: vector("info", "Properties.", "execution_mode", "engine_version", "artifact_kind",
			"deployment_target", "deployment_target_mode", "resource_setting_mode", "deployment_draft_id"),
		created:     vector("created_timestamp_seconds", "Created."),
		modified:    vector("modified_timestamp_seconds", "Modified."),
		changed:     vector("pending_changes", "Changed."),
		parallelism: vector("parallelism", "Parallelism."),
		jmCPU:       vector("jobmanager_cpu_cores", "CPU."),
		jmMemory:    vector("jobmanager_memory_bytes", "Memory."),
		tmCPU:       vector("taskmanager_cpu_cores", "CPU."),
		tmMemory:    vector("taskmanager_memory_bytes", "Memory."),
		max:         vector("max_slots", "Slots."),
	}
}

var units = map[byte]float64{'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30, 'T': 1 << 40}

// "1Gi", "4 GiB", "2048Mi"
func memory(text string) (float64, bool) {
	end := strings.IndexAny(text, " KMGT")
	if end < 0 {
		return 0, false
	}
	number, err := strconv.ParseFloat(text[:end], 64)
	unit := strings.TrimLeft(text[end:], " ")
	if err != nil || unit == "" {
		return 0, false
	}
	return number * units[unit[0]], true
}

func (f *families) setSpec(s *spec, cpu, memoryBytes *prometheus.GaugeVec, labels []string) {
	if s.CPU != nil {
		cpu.WithLabelValues(labels...).Set(*s.CPU)
	}
	if bytes, ok := memory(s.Memory); ok {
		memoryBytes.WithLabelValues(labels...).Set(bytes)
	}
}

func (f *families) set(d *deployment) {
	labels := []string{f.workspace, f.namespace, d.ID, d.Name}
	with := func(more ...string) []string { return append(labels[:4:4], more...) }
	for state, count := range d.Jobs {
		f.jobs.WithLabelValues(with(state)...).Set(float64(count))
	}
	s := d.Streaming
	if d.Batch != nil {
		s = d.Batch
	}
	mode := ""
	if s != nil {
		mode = strings.ToLower(s.Mode)
	}
	f.info.WithLabelValues(with(strings.ToLower(d.Mode), d.Engine, strings.ToLower(d.Artifact.Kind),
		d.Target.Name, strings.ToLower(d.Target.Mode), mode, d.Draft)...).Set(1)
	f.created.WithLabelValues(labels...).Set(float64(d.Created))
	f.modified.WithLabelValues(labels...).Set(float64(d.Modified))
	if d.Changed != nil {
		value := 0.0
		if *d.Changed {
			value = 1
		}
		f.changed.WithLabelValues(labels...).Set(value)
	}
	if s == nil {
		return
	}
	if s.Expert != nil {
		f.setSpec(&s.Expert.JobManager, f.jmCPU, f.jmMemory, labels)
	} else if s.Basic != nil {
		if s.Basic.Parallelism != nil {
			f.parallelism.WithLabelValues(labels...).Set(float64(*s.Basic.Parallelism))
		}
		f.setSpec(&s.Basic.JobManager, f.jmCPU, f.jmMemory, labels)
		f.setSpec(&s.Basic.TaskManager, f.tmCPU, f.tmMemory, labels)
	}
	if d.Batch != nil && s.MaxSlot != nil {
		f.max.WithLabelValues(labels...).Set(float64(*s.MaxSlot))
	}
}
