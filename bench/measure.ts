/** What every benchmark needs: medians, the machine in words, peak memory, a table. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

export { median } from '../src/base/median.ts';

/** The processor, its widest vector extension, the number of cores and the date. */
export function machine(): string {
  let widest = '';
  try {
    const flags = readFileSync('/proc/cpuinfo', 'utf8');
    widest = ['amx_tile', 'avx512f', 'avx2'].find((flag) => flags.includes(flag)) ?? '';
  } catch {
    // Only Linux tells.
  }
  const model = cpus()[0]?.model.trim() ?? process.arch;
  const date = new Date().toISOString().slice(0, 10);
  return `${model} (${widest}), ${availableParallelism()} cores, Node ${process.versions.node}, ${date}`;
}

/** The largest resident set of this process so far, in bytes. */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}

export function printTable(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): void {
  const lines = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const print = (line: readonly string[]) =>
    console.log(`| ${line.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`);
  print(lines[0]);
  console.log(`|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  for (const line of lines.slice(1)) print(line);
}
