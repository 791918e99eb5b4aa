/** Writes the cases as JSON on stdout, for scripts/make-op-references.py. */
import type { OpName } from '../../src/engine/graph/op-names.ts';
import { buildCase } from './case-graph.ts';
import { type Case, cases } from './cases.ts';
import { toJson } from './json.ts';

const names = Object.keys(cases) as OpName[];
const entries = names.map((op) => [
  op,
  cases[op].map((one) => {
    const { feeds } = buildCase(op, one as Case<typeof op>);
    return { attributes: one.attributes, inputs: Object.values(feeds) };
  }),
]);
process.stdout.write(toJson(Object.fromEntries(entries)));
