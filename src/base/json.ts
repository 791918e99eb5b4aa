/** JSON that others wrote. */
import { InputError } from './errors.ts';

/** The value of a JSON text. @throws InputError naming the file that it came from */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `${path}: not valid JSON (${error instanceof Error ? error.message : String(error)}).`,
    );
  }
}
