"""Are the peers real? Compares expositions: the same series, the same labels, the same values."""

import afe
from harness import Broken

# What changes from one scrape to the next, whoever serves it.
LIVE = ("process_", "aliyun_flink_exporter_http_", "aliyun_flink_exporter_log_",
        "aliyun_flink_exporter_snapshot_bytes")


def parse(what, text):
    try:
        return afe.Exposition(text).samples
    except ValueError as e:
        raise Broken(f"{what}: no exposition: {e}") from e


def canonical(key):
    """Bounds of buckets are numbers: "1.0" and "1" are one."""
    name, labels = key
    return name, tuple((k, str(float(v)) if k == "le" else v) for k, v in labels)


def same_series(ours_text, peer_text, peer, only=""):
    """Raises Broken where the sets of (name, sorted labels, value) differ; returns how many.

    The order of labels is not compared, nor of series: client_golang sorts both. Values of LIVE
    families are not compared either, the series are. The byte counts may differ by what numbers
    look like (1.7e+09 for 1700000000) and by help texts: 5 %.
    """
    sides = []
    for text, name in ((ours_text, "ours"), (peer_text, peer)):
        sides.append({canonical(key): 0 if key[0].startswith(LIVE) else value
                      for key, value in parse(name, text).items() if key[0].startswith(only)})
    ours, theirs = sides
    if ours != theirs:
        differing = [k for k in ours.keys() | theirs.keys() if ours.get(k) != theirs.get(k)]
        example = sorted(differing)[0]
        raise Broken(f"{peer} serves other series: {len(differing)} differ, such as {example}: "
                     f"{ours.get(example)} and {theirs.get(example)}")
    if not only and abs(len(peer_text) / len(ours_text) - 1) > 0.05:
        raise Broken(f"{peer} serves {len(peer_text)} bytes, ours are {len(ours_text)}")
    return len(ours)
