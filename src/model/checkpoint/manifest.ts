/** `refcap.json`: what a model's folder holds, for those who cannot list it, such as a page that fetches it. */
import * as z from 'zod';
import { InputError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';

export const manifestName = 'refcap.json';

const fileSchema = z
  .object({
    bytes: z.int().nonnegative(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 digits of base 16'),
  })
  .readonly();

/** A file of the model: its size and hash. */
export type ManifestFile = z.infer<typeof fileSchema>;

const selfTestSchema = z
  .object({
    /** A caption of the test picture, the id that it begins with first. */
    ids: z.array(z.int().nonnegative()).min(2),
    /** Natural log of the probability of each id after the first. */
    f32: z.array(z.number()),
    /** With products of 8 bits, where the weights are stored so. */
    int8: z.array(z.number()).optional(),
  })
  .readonly();

/** What a device must give for the test picture. */
export type SelfTest = z.infer<typeof selfTestSchema>;

const manifestSchema = z
  .object({
    format: z.literal(1, 'must be 1; export the model with the same version of refcap'),
    /** Paths from the folder, such as member-2/config.json. */
    files: z.record(
      z.string().regex(/^(?:[\w-][\w.-]*\/)*[\w-][\w.-]*$/, 'not a path within the folder'),
      fileSchema,
    ),
    selfTest: selfTestSchema,
  })
  .readonly();

export type Manifest = z.infer<typeof manifestSchema>;

/** @param place how messages name the file. @throws InputError naming the field that is wrong */
export function parseManifest(text: string, place: string): Manifest {
  const parsed = manifestSchema.safeParse(parseJson(text, place));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(`${place}: ${issue.path.join('.') || 'the whole'}: ${issue.message}.`);
}

/** Folders of the model and its further members within the manifest, with the slash, the first one ''. */
export function manifestMembers({ files }: Manifest): string[] {
  const folders = [''];
  for (let n = 2; `member-${n}/config.json` in files; n++) folders.push(`member-${n}/`);
  return folders;
}
