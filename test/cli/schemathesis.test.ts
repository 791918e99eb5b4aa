/**
 * Requests that schemathesis makes of the server's own description: nothing is answered 5xx, and nothing otherwise than
 * described. Where it is not here (SCHEMATHESIS, or on the path), the test is skipped; SCHEMATHESIS_SECONDS has it send for longer.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { startServe } from './server-process.ts';

const { SCHEMATHESIS: program = 'schemathesis', SCHEMATHESIS_SECONDS: seconds = '20' } =
  process.env;
const isHere = spawnSync(program, ['--version']).status === 0;
if (!isHere)
  console.warn('schemathesis is not here: the test that it makes of the server is skipped');

const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'unsupported_method',
  'allow_header_conformance',
];

const folder = await mkdtemp(join(tmpdir(), 'refcap-schemathesis-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the description of the server', () => {
  it.skipIf(!isHere)(
    'is kept to, whatever is asked',
    async () => {
      const server = startServe('--log-format', 'json');
      const url = `${await server.url()}/openapi.json`;
      const args = ['run', url, '--seed', '1', '--max-time', seconds, '--continue-on-failure'];
      const child = spawn(program, [...args, '--no-color', '--checks', checks.join()], {
        // It keeps examples where it runs.
        cwd: folder,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
      server.child.kill('SIGTERM');
      expect(await server.ended).toBe(0);
      // Its exit code is also that of errors of its own: of Python 3.11 in a deep schema, for one.
      expect(said).toMatch(/^ *\d+ generated, \d+ passed(, \d+ skipped)?$/m);
      expect(said).not.toMatch(/\bFAILURES\b/);
      const statuses = server.lines.slice(1).map((line): number => JSON.parse(line).status);
      expect(statuses.filter((status) => status >= 500)).toEqual([]);
      // It was let in, and was refused.
      expect(statuses).toContain(200);
      expect(statuses).toContain(400);
      console.log(`schemathesis: ${statuses.length} requests`);
    },
    600_000,
  );
});
