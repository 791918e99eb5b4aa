/** How a command's flags say that shards are captioned, opened for the work. */
import { Opened } from '../../base/disposal.ts';
import { version } from '../../base/version.ts';
import type { Captioner } from '../../caption/captioner.ts';
import { captionOptions, type GenerationFlags } from '../../caption/command-options.ts';
import { isRemote } from '../../data/shards/address.ts';
import { bundledModel } from '../../hub/bundled.ts';
import { modelFingerprint } from '../../model/checkpoint/fingerprint.ts';
import type { ShardRunOptions } from '../../scale/caption-shards.ts';
import { folderStore } from '../../scale/output/folder.ts';
import type { ObjectStore } from '../../scale/output/output.ts';
import { remoteStore } from '../../scale/output/store.ts';
import type { OutputSettings } from '../../scale/settings.ts';
import { loadCaptioner, type ModelFlags } from './captioner.ts';
import { type DecodeFlags, decodeOptions } from './decode.ts';
import { hubOptions } from './hub.ts';
import { drawOptions, type StyleFlags, withStyle } from './style.ts';

export interface ShardRunFlags extends GenerationFlags, StyleFlags, ModelFlags, DecodeFlags {
  readonly output: string;
  readonly imageColumn?: string;
  readonly batchSize: number;
}

/** Everything that captions shards. Dispose it when done. */
export interface ShardRun extends Disposable {
  readonly captioner: Captioner;
  readonly store: ObjectStore;
  readonly run: ShardRunOptions;
}

/** @throws InputError where the model or the output cannot be opened; the signal's reason when aborted */
export async function openShardRun(flags: ShardRunFlags, signal: AbortSignal): Promise<ShardRun> {
  const { output } = flags;
  const store = isRemote(output) ? remoteStore(output, { signal }) : await folderStore(output);
  using opened = new Opened();
  const captioner = opened.use(
    await loadCaptioner({ ...flags, workers: flags.workers ?? 1 }, signal),
  );
  const options = {
    ...captionOptions(flags, captioner.defaults),
    ...(flags.words && { dependence: true }),
    decode: decodeOptions(flags),
  };
  captioner.check(options);
  const draws = drawOptions(flags, options);
  if (draws) captioner.check(draws);
  const run: ShardRunOptions = {
    options,
    batchSize: flags.batchSize,
    settings: await settingsOf(flags, options, signal),
    ...(flags.imageColumn !== undefined && { columns: { image: flags.imageColumn } }),
    through: (sink) => withStyle(sink, flags),
    ...(draws && { draws }),
    signal,
  };
  opened.keep();
  return { captioner, store, run, [Symbol.dispose]: () => captioner[Symbol.dispose]() };
}

/** All flags on which the captions depend; machines may differ in the others. */
const deciding = [
  ...['quantize', 'imageSize', 'keepRefiner', 'members', 'device', 'batchSize', 'words'],
  ...['maxPixels', 'maxBytes', 'allowSvg', 'imageColumn'],
  ...['neutralPeople', 'prefix', 'suffix', 'sentence', 'template', 'keywords'],
] as const;

async function settingsOf(
  flags: ShardRunFlags,
  { decode: _, ...generation }: ReturnType<typeof captionOptions>,
  signal: AbortSignal,
): Promise<OutputSettings> {
  const { model = bundledModel, members } = flags;
  const given = Object.entries(flags).filter(([name]) =>
    deciding.some((deciding) => deciding === name),
  );
  return {
    refcap: version(),
    model: await modelFingerprint(model, { hub: hubOptions(flags, signal), members }),
    options: { ...generation, ...Object.fromEntries(given.sort(([a], [b]) => (a < b ? -1 : 1))) },
  };
}
