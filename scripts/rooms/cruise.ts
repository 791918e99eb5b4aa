/** Checks the sources of a project by the rules of its rooms. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cruise, type IForbiddenRuleType } from 'dependency-cruiser';
import { z } from 'zod';
import type { Room } from './rooms.ts';
import { browserRules, roomRules } from './rules.ts';
import { type Graph, writeSources } from './sources.ts';

const packageJson = z.looseObject({ browser: z.record(z.string(), z.string()).optional() });

/** What breaks a rule, a sentence each. @param root the folder that has src/ and package.json */
export async function violations(
  root: string,
  rooms: Readonly<Record<string, Room>>,
): Promise<string[]> {
  const { browser: swaps = {} } = packageJson.parse(
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')),
  );
  return [
    ...(await broken(root, 'all', roomRules(rooms), {})),
    ...(await broken(root, 'browser', browserRules(rooms, Object.keys(swaps)), swaps)),
  ];
}

async function broken(
  root: string,
  graph: Graph,
  forbidden: IForbiddenRuleType[],
  swaps: Readonly<Record<string, string>>,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-rooms-'));
  try {
    writeSources(root, folder, graph, swaps);
    const { output } = await cruise(['src'], {
      baseDir: folder,
      ruleSet: { forbidden },
      validate: true,
      parser: 'acorn',
      doNotFollow: { path: 'node_modules' },
      enhancedResolveOptions: {
        exportsFields: ['exports'],
        conditionNames: ['node', 'import', 'default'],
      },
    });
    if (typeof output === 'string') throw new Error(output);
    const { violations: found, totalCruised } = output.summary;
    if (totalCruised === 0) throw new Error(`${root}: no sources were found`);
    return found.map(({ rule, from, to, cycle, via }) => {
      const way = (cycle ?? via ?? []).map(({ name }) => name).join(' -> ');
      return `${rule.name}: ${from} -> ${way || to}`.replaceAll('.js', '.ts');
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
