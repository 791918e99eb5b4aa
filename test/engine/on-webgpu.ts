/** Programs run with SwiftShader (in Debian's chromium) as their GPU, where there is no other. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = '/usr/lib/chromium';
const driver = `${folder}/vk_swiftshader_icd.json`;

/** Whether the driver is there. */
export const hasWebgpu: boolean = existsSync(driver);

/**
 * Runs a program of the tests with SwiftShader as its GPU and gives the JSON lines it printed, also when it died
 * on the way: the driver must be chosen before the process starts.
 */
export function runOnWebgpu(program: string, ...args: string[]): Promise<unknown[]> {
  const file = fileURLToPath(new URL(`../${program}`, import.meta.url));
  const env = {
    ...process.env,
    VK_ICD_FILENAMES: driver,
    LD_LIBRARY_PATH: folder,
    XDG_RUNTIME_DIR: '/tmp',
  };
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
  });
  return new Promise((done) => {
    child.on('close', () => {
      const lines = text.split('\n').filter((line) => line.startsWith('{'));
      done(lines.map((line) => JSON.parse(line)));
    });
  });
}
