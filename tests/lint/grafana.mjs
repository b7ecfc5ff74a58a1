// grafana.mjs DASHBOARD.json...: writes check.ts, in which TypeScript compares each dashboard and each
// panel with Grafana's own types, and parses every query with Prometheus' own grammar. Run by
// grafana_schema.sh in a folder that has the packages. Ends with 1 after a query that does not parse.
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";

// What the types call "timeseries" etc., and whether its fieldConfig.custom has a type.
const PANELS = {
  timeseries: ["timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen", true],
  stat: ["stat/panelcfg/x/StatPanelCfg_types.gen", false],
  table: ["table/panelcfg/x/TablePanelCfg_types.gen", true],
  "state-timeline": ["statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen", true],
};
const VARIABLES = {
  $__rate_interval: "5m", $__range: "1h", $__interval: "1m",
};

let failures = 0;
let queries = 0;
const code = [
  'import type { Dashboard as Raw, Panel as RawPanel } from "./node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen";',
  'import type * as common from "./node_modules/@grafana/schema/dist/types/common/common.gen";',
];

function parse(where, query) {
  let text = query;
  for (const [name, value] of Object.entries(VARIABLES)) text = text.replaceAll(name, value);
  queries++;
  parser.parse(text).iterate({
    enter(node) {
      if (!node.type.isError) return;
      failures++;
      console.log(`${where}: at ${node.from}: ${text}`);
      return false;
    },
  });
}

const kinds = Object.keys(PANELS);
kinds.forEach((kind, i) => {
  code.push(`import type * as k${i} from "./node_modules/@grafana/schema/dist/types/raw/composable/${PANELS[kind][0].replace(/[^/]*$/, "types.gen")}";`);
});
code.push(
  // JSON has texts where the types have enumerations.
  "type Json<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T",
  "  : T extends Array<infer U> ? Array<Json<U>> : T extends object ? { [K in keyof T]: Json<T[K]> } : T;",
  "type Dashboard = Json<Omit<Raw, 'panels' | 'annotations'>>;",
  // What a Prometheus data source adds to an annotation has no type.
  "type Annotation = Json<NonNullable<NonNullable<Raw['annotations']>['list']>[0]> &",
  "  { expr: string; step?: string; titleFormat?: string; textFormat?: string };",
  "type Panel = Json<Omit<RawPanel, 'options' | 'fieldConfig'>>;",
);
for (const file of process.argv.slice(2)) {
  const name = basename(file, ".json");
  const board = JSON.parse(readFileSync(file, "utf-8"));
  const { panels, annotations, ...rest } = board;
  code.push(`export const ${name}: Dashboard = ${JSON.stringify(rest)};`);
  code.push(`export const a_${name}: Annotation[] = ${JSON.stringify(annotations.list)};`);
  for (const annotation of annotations.list) parse(`${name}: ${annotation.name}`, annotation.expr);
  for (const panel of panels) {
    if (panel.type === "row") continue;
    for (const target of panel.targets) parse(`${name}: ${panel.title} ${target.refId}`, target.expr);
    const kind = kinds.indexOf(panel.type);
    if (kind < 0) {
      failures++;
      console.log(`${name}: ${panel.title}: no types for a panel of type ${panel.type}`);
      continue;
    }
    const { options, fieldConfig, ...plain } = panel;
    const id = `${name}${panel.id}`;
    code.push(`/* ${panel.title.replaceAll("*/", "")} */`);
    code.push(`export const p_${id}: Panel = ${JSON.stringify(plain)};`);
    code.push(`export const o_${id}: Partial<Json<k${kind}.Options>> = ${JSON.stringify(options)};`);
    const { custom, ...defaults } = fieldConfig.defaults;
    code.push(`export const f_${id}: Json<RawPanel["fieldConfig"]> = ${JSON.stringify({ ...fieldConfig, defaults })};`);
    if (PANELS[panel.type][1])
      code.push(`export const c_${id}: Partial<Json<k${kind}.FieldConfig>> = ${JSON.stringify(custom)};`);
  }
}
writeFileSync("check.ts", code.join("\n") + "\n");
console.log(`${queries} queries, ${failures} do not parse`);
process.exit(failures || !queries ? 1 : 0);
