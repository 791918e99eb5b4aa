/**
 * Finds the package node-av for the tests, which is no dependency: beside the repository, or in the folder that the
 * variable NODE_AV names (where `npm install --ignore-scripts node-av` was run). Where it is not, they are skipped.
 */
import Module from 'node:module';
import { join } from 'node:path';
import { isNodeAvThere, loadNodeAv } from '../../../../src/data/films/node-av/package.ts';

/** Whether it is found without the variable. */
export const isBeside: boolean = isNodeAvThere();

const { NODE_AV: folder } = process.env;
/** Variables by which a program of Node's finds it. */
export const nodeAvVariables: NodeJS.ProcessEnv =
  folder === undefined ? {} : { NODE_PATH: join(folder, 'node_modules') };
Object.assign(process.env, nodeAvVariables);
(Module as unknown as { _initPaths(): void })._initPaths();

/** Whether it is found, and has a binary for this machine. */
export const hasNodeAv: boolean = await loadNodeAv().then(
  () => true,
  () => false,
);
if (!hasNodeAv) console.warn('node-av is not here: the tests of films read by it are skipped');
