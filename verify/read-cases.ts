/** Reads a file of reference cases, saying in one sentence what is wrong with it. */
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';

/** The cases, or undefined after printing why they cannot be read. */
export async function readCases<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    const parsed = schema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    console.error(`${path}: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}.`);
  } catch (error) {
    console.error(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return undefined;
}
