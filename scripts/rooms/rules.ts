/** The table of rooms as rules of dependency-cruiser. */
import { builtinModules } from 'node:module';
import type { IForbiddenRuleType } from 'dependency-cruiser';
import { browserPackages, type Room, typePackages } from './rooms.ts';

const either = (names: Iterable<string>): string => `(?:${[...names].join('|')})`;

/** Rules of the graph in which imports of types count. */
export function roomRules(rooms: Readonly<Record<string, Room>>): IForbiddenRuleType[] {
  const names = Object.keys(rooms);
  const known = `^src/(?:${either(names)}/|index\\.js$)`;
  return [
    ...Object.entries(rooms).map(([name, { uses }]) => ({
      name: `room-${name}`,
      comment: `${name} may import ${uses.length > 0 ? uses.join(', ') : 'no other room'}`,
      severity: 'error' as const,
      from: { path: `^src/${name}/` },
      to: { path: '^src/', pathNot: `^src/${either([name, ...uses])}/` },
    })),
    {
      name: 'known-rooms',
      comment: 'every folder of src has a row in scripts/rooms/rooms.ts',
      severity: 'error',
      from: { path: '^src/', pathNot: known },
      to: {},
    },
    {
      name: 'no-circles',
      comment: 'no files import each other in a circle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'onnxruntime-behind-the-engine',
      comment: 'engine/runtime alone imports onnxruntime',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/engine/runtime/' },
      to: { path: 'node_modules/onnxruntime-' },
    },
    {
      name: 'metrics-without-packages',
      comment: 'metrics needs no package',
      severity: 'error',
      from: { path: '^src/metrics/' },
      to: { pathNot: '^src/' },
    },
    {
      name: 'entries-are-for-users',
      comment: "files import files, not a room's entry, which loads the whole room",
      severity: 'error',
      from: { path: '^src/', pathNot: '/(?:index|browser)\\.js$' },
      to: { path: '^src/[^/]+/(?:index|browser)\\.js$' },
    },
    {
      name: 'resolvable',
      comment: 'an import leads somewhere',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true, pathNot: `^${either(typePackages)}$` },
    },
  ];
}

/**
 * Rules of the graph of what runs in a browser.
 * @param nodeOnly files that bundlers replace, from the root
 */
export function browserRules(
  rooms: Readonly<Record<string, Room>>,
  nodeOnly: readonly string[],
): IForbiddenRuleType[] {
  const doors = Object.entries(rooms).flatMap(([name, { browser }]) =>
    browser === 'whole' ? [`${name}/`] : browser === 'part' ? [`${name}/browser\\.js$`] : [],
  );
  const builtIn = `^(?:node:)?${either(builtinModules)}$`;
  const otherPackage = `node_modules/(?!${either(browserPackages)}/)`;
  return [
    {
      name: 'browser-without-node',
      comment: 'what runs in browsers reaches neither Node nor packages that need it',
      severity: 'error',
      from: {
        path: `^src/${either(doors)}`,
        pathNot: nodeOnly.map((path) => `^${path.replace(/^\.\//, '').replace(/\.ts$/, '\\.js$')}`),
      },
      to: { path: `${builtIn}|${otherPackage}`, reachable: true },
    },
  ];
}
