/** Options of captions in pictures' metadata. */
import { basename } from 'node:path';
import { Option } from '@commander-js/extra-typings';
import { UsageError } from '../../base/errors.ts';
import type { CaptionSink } from '../../caption/output/output.ts';
import {
  type Existing,
  existingChoices,
  type SidecarNaming,
  sidecarNamings,
} from '../../metadata/choices.ts';

export interface MetadataFlags {
  readonly existing?: Existing;
  readonly sidecarNames?: SidecarNaming;
  readonly embed?: boolean;
  readonly keepTimes?: boolean;
  readonly skipCaptioned?: boolean;
}

export const embedOption = () =>
  new Option('--embed', 'write captions into the pictures themselves (--format xmp)').implies({
    format: 'xmp',
  });

export const keepTimesOption = () =>
  new Option('--keep-times', 'pictures that are written to keep their times');

export const existingOption = () =>
  new Option(
    '--existing <what>',
    'descriptions that are there: leave the picture alone, or write so (xmp; default: keep)',
  ).choices(existingChoices);

export const sidecarNamesOption = () =>
  new Option(
    '--sidecar-names <how>',
    'photo.jpg.xmp (full) or photo.xmp (stem) beside photo.jpg (default: full)',
  ).choices(sidecarNamings);

export const skipCaptionedOption = () =>
  new Option('--skip-captioned', 'leave pictures alone whose metadata describe them already');

/** @throws UsageError where flags do not fit the format, or each other */
export function checkMetadataFlags(flags: MetadataFlags, format: string): void {
  const { existing, sidecarNames, embed, keepTimes } = flags;
  if (embed && sidecarNames)
    throw new UsageError('--embed and --sidecar-names exclude each other.');
  if (keepTimes && !embed) throw new UsageError('--keep-times needs --embed.');
  if (format === 'xmp') return;
  const given = { '--existing': existing, '--sidecar-names': sidecarNames, '--embed': embed };
  for (const [name, value] of Object.entries(given))
    if (value !== undefined) throw new UsageError(`${name} needs --format xmp.`);
}

/** Where captions go with --format xmp. */
export async function metadataSink(
  { existing = 'keep', sidecarNames = 'full', embed, keepTimes = false }: MetadataFlags,
  { model, resume = false }: { readonly model: string; readonly resume?: boolean },
): Promise<CaptionSink> {
  const { xmpSink } = await import('../../caption/output/xmp.ts');
  const { version } = await import('../../base/version.ts');
  return xmpSink({
    existing,
    resume,
    where: embed ? { keepTimes } : sidecarNames,
    agent: `refcap ${version()}`,
    // Where the model is on this machine concerns nobody else.
    model: basename(model),
  });
}
