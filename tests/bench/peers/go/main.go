// The exporter as one would write it in Go with client_golang: a GaugeVec for every family,
// promhttp in front. A peer in the comparison.
//
//	peer serve FILE
//	  Serves the series of an exposition, each through a vector of its family.
//	peer refresh URL CA WORKSPACE NAMESPACE IN_FLIGHT
//	  For every line on standard input lists all deployments and sets their series.
//
// Both print "listening PORT" first; /metrics is at that port of the loopback address.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func listen(registry *prometheus.Registry) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	fmt.Printf("listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	go func() { log.Fatal(http.Serve(listener, nil)) }()
}

func refreshes(args []string, registry *prometheus.Registry) {
	lister, err := newLister(args[0], args[1], args[4])
	if err != nil {
		log.Fatal(err)
	}
	families := newFamilies(registry, args[2], args[3])
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		deployments, err := lister.list()
		if err != nil {
			log.Fatal(err)
		}
		for i := range deployments {
			families.set(&deployments[i])
		}
		fmt.Printf("done %d\n", len(deployments))
	}
}

func main() {
	registry := prometheus.NewRegistry()
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		if err := load(os.Args[2], registry); err != nil {
			log.Fatal(err)
		}
		listen(registry)
		select {}
	case len(os.Args) == 7 && os.Args[1] == "refresh":
		listen(registry)
		refreshes(os.Args[2:], registry)
	default:
		log.Fatal("usage: peer serve FILE | refresh URL CA WORKSPACE NAMESPACE IN_FLIGHT")
	}
}
