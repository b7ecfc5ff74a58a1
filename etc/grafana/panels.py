"""What the dashboards of boards.py are made of.

The JSON of a dashboard is mostly repetition; here a panel is a line or two. What all panels share:

* max by (...) without instance and job, as two exporters that watch the same namespace say the same
  twice; only the dashboard about the exporters themselves keeps instance.
* a description, a unit, and what to say where there is no data: "no data" is a finding here.
* raw families, no recording rules: the dashboards work where the rules were not installed.
"""

RUNBOOKS = "https://runbooks.example.com/aliyun_flink/"
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SCHEMA_VERSION = 39  # Grafana 10.4; newer ones migrate it when they load it

T = "workspace, flink_namespace"
D = T + ", deployment_id, deployment_name"
R = T + ", deployment_draft_id, draft_name"
TS = '{workspace=~"$workspace",flink_namespace=~"$flink_namespace"%s}'
DS = '{workspace=~"$workspace",flink_namespace=~"$flink_namespace",deployment_id="$deployment"%s}'
ES = '{job=~"$job",instance=~"$instance"%s}'


def t(family, more=""):
    """A family in the namespaces that are chosen."""
    return f"aliyun_flink_{family}" + TS % ("," + more if more else "")


def d(family, more=""):
    """A family of the one deployment that is chosen."""
    return f"aliyun_flink_{family}" + DS % ("," + more if more else "")


def e(family, more=""):
    """A family of the exporters that are chosen."""
    own = family == "up" or family.startswith(("process_", "scrape_", "aliyun_flink_"))
    name = family if own else f"aliyun_flink_{family}"
    return name + ES % ("," + more if more else "")


def rate(selector, function="rate"):
    return f"{function}({selector}[$__rate_interval])"


def by(labels, inner, function="max"):
    return f"{function} by ({labels}) ({inner})"


# Colours by meaning, the same on every dashboard.
COLOURS = {"running": "green", "failed": "red", "starting": "blue", "cancelling": "yellow",
           "transitioning": "blue", "cancelled": "orange", "finished": "purple",
           "unknown": "#808080", "executing": "blue"}
BAD_FROM_1 = [("green", None), ("red", 1)]
GOOD_FROM_1 = [("red", None), ("green", 1)]
PLAIN = [("text", None)]


def steps(pairs):
    return {"mode": "absolute", "steps": [{"color": c, "value": v} for c, v in pairs]}


def target(expr, legend="", instant=False, table=False, ref="A"):
    return {"datasource": DATASOURCE, "editorMode": "code", "expr": expr, "refId": ref,
            "legendFormat": legend or "__auto", "instant": instant, "range": not instant,
            "format": "table" if table else "time_series"}


def targets(queries, **how):
    """[(expression, legend), ...] as Grafana's targets A, B, ..."""
    return [target(q, legend, ref=chr(ord("A") + i), **how) for i, (q, legend) in enumerate(queries)]


def field_config(unit, no_value, thresholds=None, custom=None, overrides=None, mappings=None):
    return {"defaults": {"unit": unit, "noValue": no_value, "custom": custom or {},
                         "mappings": mappings or [],
                         "color": {"mode": "thresholds" if thresholds else "palette-classic"},
                         "thresholds": steps(thresholds or PLAIN)},
            "overrides": overrides or []}


def by_name(name, *properties):
    return {"matcher": {"id": "byName", "options": name},
            "properties": [{"id": i, "value": v} for i, v in properties]}


def coloured(names):
    return [by_name(n, ("color", {"mode": "fixed", "fixedColor": COLOURS[n]})) for n in names]


def link(title, url, tooltip=""):
    return {"type": "link", "title": title, "url": url, "tags": [], "asDropdown": False, "includeVars": False,
            "keepTime": False, "targetBlank": True, "icon": "doc", "tooltip": tooltip}


def panel(kind, title, description, queries, config, options, alerts=()):
    links = [link(f"Runbook: {a}", f"{RUNBOOKS}{a}.md") for a in alerts]
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE,
            "targets": queries, "fieldConfig": config, "options": options, "links": links}


def stat(title, description, expr, unit="none", colours=PLAIN, no_value="no data", alerts=(),
         mappings=None, text_mode="auto", legend=""):
    return panel("stat", title, description, [target(expr, legend, instant=True)],
                 field_config(unit, no_value, colours, mappings=mappings),
                 {"colorMode": "value", "graphMode": "none", "justifyMode": "auto",
                  "orientation": "auto", "textMode": text_mode, "wideLayout": True,
                  "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}},
                 alerts)


def graph(title, description, queries, unit="short", no_value="no data in this range", stack=False,
          alerts=(), bars=False, states=()):
    custom = {"drawStyle": "bars" if bars else "line", "lineWidth": 1, "fillOpacity": 30 if stack or bars else 8,
              "showPoints": "never", "spanNulls": False,
              "stacking": {"mode": "normal" if stack else "none", "group": "A"}}
    config = field_config(unit, no_value, custom=custom, overrides=coloured(states))
    config["defaults"]["min"] = 0
    return panel("timeseries", title, description, targets(queries), config,
                 {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                  "tooltip": {"mode": "multi", "sort": "desc"}}, alerts)


def timeline(title, description, queries, no_value, mappings, alerts=()):
    return panel("state-timeline", title, description, targets(queries),
                 field_config("none", no_value, [("#808080", None)], {"fillOpacity": 80, "lineWidth": 0},
                              mappings=mappings),
                 {"mergeValues": True, "showValue": "auto", "alignValue": "left", "rowHeight": 0.9,
                  "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                  "tooltip": {"mode": "single", "sort": "none"}}, alerts)


def table(title, description, queries, value_unit, value_title, no_value, hide=(), links=(), alerts=(),
          colours=None):
    """One row a series of the first query; further queries add columns by the labels they share."""
    names = {"Time": "", "Value": value_title}
    overrides = [by_name(value_title, ("unit", value_unit))]
    if colours:
        overrides[0]["properties"] += [
            {"id": "thresholds", "value": steps(colours)},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}}]
    for column, link_title, url in links:
        overrides.append(by_name(column, ("links", [{"title": link_title, "url": url}])))
    made = panel("table", title, description, targets(queries, instant=True, table=True),
                 field_config("none", no_value, custom={"align": "auto", "filterable": True},
                              overrides=overrides),
                 {"showHeader": True, "cellHeight": "sm", "sortBy": [{"displayName": value_title, "desc": True}]},
                 alerts)
    made["transformations"] = [{"id": "organize", "options": {
        "excludeByName": dict.fromkeys(("Time", *hide), True), "indexByName": {},
        "renameByName": {"Value": names["Value"]}}}]
    return made


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def place(rows):
    """rows: a title, or (height, [(width, panel), ...]); gives the panels their ids and places."""
    out, y = [], 0
    for entry in rows:
        if isinstance(entry, str):
            height, line = 1, [(24, row(entry))]
        else:
            height, line = entry
        x = 0
        for width, made in line:
            out.append(dict(made, id=len(out) + 1, gridPos={"x": x, "y": y, "w": width, "h": height}))
            x += width
        assert x <= 24, made["title"]
        y += height
    return out


def variable(name, label, query, description, multi=True, regex=""):
    made = {"name": name, "label": label, "type": "query", "datasource": DATASOURCE,
            "description": description, "regex": regex, "sort": 1, "refresh": 2, "hide": 0,
            "query": {"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
            "multi": multi, "includeAll": multi, "options": []}
    if multi:
        made["allValue"] = ".*"
        made["current"] = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return made


DATASOURCE_VARIABLE = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
                       "description": "The Prometheus that scrapes the exporters.", "regex": "", "hide": 0,
                       "refresh": 1, "multi": False, "includeAll": False, "options": []}
WORKSPACE = variable("workspace", "Workspace", "label_values(aliyun_flink_target_info, workspace)",
                     "Workspaces that are watched.")
NAMESPACE = variable("flink_namespace", "Namespace",
                     'label_values(aliyun_flink_target_info{workspace=~"$workspace"}, flink_namespace)',
                     "Namespaces of these workspaces.")
# Chosen by name, selected by id: names are not unique. query_result() sorts labels by name.
DEPLOYMENT = variable("deployment", "Deployment",
                      "query_result(" + by("deployment_id, deployment_name", t("deployment_info")) + ")",
                      "Shown by name, selected by id: names are not unique.", multi=False,
                      regex=r'/deployment_id="(?<value>[^"]+)",\s*deployment_name="(?<text>[^"]*)"/')
JOB = variable("job", "Scrape job", "label_values(aliyun_flink_exporter_build_info, job)",
               "Scrape jobs that have exporters.")
INSTANCE = variable("instance", "Exporter", 'label_values(aliyun_flink_exporter_build_info{job=~"$job"}, instance)',
                    "Exporter processes.")


def dashboard(uid, title, description, variables, rows):
    return {
        "uid": uid, "title": title, "description": description, "tags": ["aliyun-flink"],
        "schemaVersion": SCHEMA_VERSION, "version": 1, "editable": True, "graphTooltip": 1, "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"}, "timezone": "browser", "timepicker": {}, "fiscalYearStartMonth": 0,
        "templating": {"list": [DATASOURCE_VARIABLE, *variables]},
        "links": [{"type": "dashboards", "title": "Flink dashboards", "tags": ["aliyun-flink"], "asDropdown": False,
                   "includeVars": True, "keepTime": True, "targetBlank": False, "icon": "external link",
                   "tooltip": "The other dashboards of this set", "url": ""},
                  link("Runbooks", RUNBOOKS, "What to do about an alert")],
        "annotations": {"list": [
            {"name": "Failed jobs", "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": "red",
             "expr": 'ALERTS{alertname="AliyunFlinkJobFailed",alertstate="firing"}', "step": "60s",
             "titleFormat": "{{deployment_name}}: job failed", "textFormat": "{{workspace}}/{{flink_namespace}}"}]},
        "panels": place(rows),
    }
