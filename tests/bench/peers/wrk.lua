-- Prints what wrk counted as one JSON object, for programs to read.
done = function(summary, latency, requests)
   local e = summary.errors
   io.write(string.format(
      '{"requests": %d, "seconds": %.6f, "bytes": %d, "errors": %d, "p50": %.6f, "p99": %.6f, "max": %.6f}\n',
      summary.requests, summary.duration / 1e6, summary.bytes,
      e.connect + e.read + e.write + e.status + e.timeout,
      latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6))
end
