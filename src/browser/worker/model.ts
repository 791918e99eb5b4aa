/** Opens a model in a page: on the device that was asked for if it computes as it should, else on the next one that does. */
import { Opened } from '../../base/disposal.ts';
import { InputError } from '../../base/errors.ts';
import { CaptionWriter } from '../../caption/executor/writer.ts';
import { deviceFault, type Products } from '../../caption/self-test.ts';
import type { SessionOptions } from '../../engine/runtime/session.ts';
import { threadSettings } from '../../engine/runtime/thread-settings.ts';
import { type ExplainedMember, ExplainedModel } from '../../explain/model.ts';
import { Inference } from '../../generation/inference.ts';
import { Ensemble } from '../../generation/members.ts';
import { type DescribedModel, readDescription } from '../../model/checkpoint/description.ts';
import { checkMember } from '../../model/checkpoint/member-check.ts';
import { matchWeights, type PretrainedWeights } from '../../model/checkpoint/weights.ts';
import { accessBytes } from '../../weights/bytes.ts';
import { readSafetensors } from '../../weights/safetensors/read.ts';
import { valueCount } from '../../weights/weight.ts';
import type { ModelFiles } from '../download/model-files.ts';
import { deviceName, type WebDevice } from './device.ts';

/** Where, and how, the model runs. */
export interface Placement {
  readonly device: WebDevice;
  /** How products with weights are computed. */
  readonly dtype: Products;
}

export interface OpenModelOptions extends Placement {
  readonly threads: number;
  /** Lets the worker hear of aborts. */
  readonly pause: () => Promise<void>;
}

export interface OpenedModel {
  readonly model: DescribedModel;
  readonly writer: CaptionWriter;
  /** The same model with its gradients; its sessions are opened when they are first asked for. */
  readonly explained: ExplainedModel;
  readonly placement: Placement;
  /** Why it does not run as it was asked to, a sentence a reason. */
  readonly faults: readonly string[];
}

interface Member {
  readonly model: DescribedModel;
  readonly weights: PretrainedWeights;
  /** The file that they lie in. */
  readonly files: NonNullable<SessionOptions['files']>;
}

/**
 * Opens a model and its members.
 * @throws InputError naming what is missing or does not fit, or what is wrong with every device
 */
export async function openModel(
  files: ModelFiles,
  options: OpenModelOptions,
): Promise<OpenedModel> {
  const members = await readMembers(files);
  const [{ model }] = members;
  const { selfTest } = files.manifest;
  const faults: string[] = [];
  for (const placement of placements(options)) {
    const fault = (reason: string) =>
      faults.push(`${placement.device} with products of ${placement.dtype}: ${reason}.`);
    try {
      const writer = await openWriter(members, placement, options);
      const reason = await knownFault(files, placement, () =>
        deviceFault(writer, model.preprocessing, selfTest, placement.dtype),
      );
      if (reason === undefined) {
        const explained = new ExplainedModel(() => readExplained(files, placement, options));
        return { model, writer, explained, placement, faults };
      }
      writer[Symbol.dispose]();
      fault(reason);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      fault(error.message.replace(/\.$/, ''));
    }
  }
  throw new InputError(`the model runs on no device of this browser: ${faults.join(' ')}`);
}

/**
 * What is wrong, by `test`, which WebAssembly need pass but once: the browser and this script are all it depends on. A
 * graphics processor's driver may be another at any time.
 */
async function knownFault(
  files: ModelFiles,
  { device, dtype }: Placement,
  test: () => Promise<string | undefined>,
): Promise<string | undefined> {
  if (device !== 'wasm') return test();
  const where = `${dtype} ${navigator.userAgent} ${location.href}`;
  if (await files.hasPassed(where)) return undefined;
  const reason = await test();
  if (reason === undefined) await files.keepPassed(where);
  return reason;
}

/** What is tried, in this order. */
function placements({ device, dtype }: Placement): Placement[] {
  const wanted: Placement[] = [
    { device, dtype },
    { device: 'wasm', dtype },
    { device: 'wasm', dtype: 'f32' },
  ];
  return wanted.filter(
    (one, i) => wanted.findIndex((x) => x.device === one.device && x.dtype === one.dtype) === i,
  );
}

async function readMembers(files: ModelFiles): Promise<Member[]> {
  const members: Member[] = [];
  for (const folder of files.members) {
    const path = files.weightsPath(folder);
    const texts = files.texts(folder);
    // The weights are read and hashed by other threads, meanwhile.
    const reading = files.weights(folder);
    reading.catch(() => undefined);
    const model = await readDescription(texts, path);
    const bytes = await reading;
    const access = { ...accessBytes(bytes, path), isFile: true };
    const weights = await matchWeights(readSafetensors(access), model.config);
    const first = members[0];
    if (first)
      checkMember(
        { ...first.model, folder: files.texts('').place },
        { ...model, folder: texts.place },
      );
    members.push({ model, weights, files: new Map([[path, bytes]]) });
  }
  return members;
}

async function openWriter(
  members: readonly Member[],
  placement: Placement,
  options: OpenModelOptions,
): Promise<CaptionWriter> {
  using opened = new Opened();
  const all: Inference[] = [];
  for (const member of members) {
    const { model, weights } = member;
    const inference = await Inference.open(model.config, weights, {
      ...sessionSettings(member, placement, options),
      ...(placement.dtype === 'int8' && { quantize: placement.dtype }),
    });
    all.push(opened.use(inference));
  }
  opened.keep();
  return new CaptionWriter(members[0].model, new Ensemble(all), { pause: options.pause });
}

/** The members once more, from what the browser kept: explanations are rare, and weights in memory are large. */
async function* readExplained(
  files: ModelFiles,
  placement: Placement,
  options: OpenModelOptions,
): AsyncGenerator<ExplainedMember, void> {
  for (const member of await readMembers(files)) {
    const settings = sessionSettings(member, placement, options);
    yield { config: member.model.config, weights: member.weights, settings };
  }
}

function sessionSettings(
  { weights: { tensors }, files }: Member,
  { device }: Placement,
  { threads }: OpenModelOptions,
): ExplainedMember['settings'] {
  return {
    device: deviceName(device),
    threads,
    files,
    extra: threadSettings(valueCount(tensors.values())),
  };
}
