/** Exports a captioner as ONNX files that other programs run. */
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError } from '../base/errors.ts';
import { replaceFolder } from '../base/folders.ts';
import type { Value } from '../engine/graph/graph.ts';
import type { PretrainedModel } from '../model/checkpoint/pretrained.ts';
import { Scope } from '../nn/scope.ts';
import { checkExport, type ExportCheck, type ExportError, picturesToCheck } from './check.ts';
import type { Member } from './graphs.ts';
import { layouts } from './layouts.ts';
import type { ExportDtype, LayoutName } from './names.ts';
import { type WrittenOnnx, writeOnnx } from './onnx-file.ts';
import { checkNewFolder, type OpenOptions, withModels } from './open.ts';
import { planWeights, type ReadParameter } from './weights.ts';

export interface ExportOptions extends OpenOptions {
  /** For whom the files are. Default transformers.js. */
  readonly layout?: LayoutName;
  /** Format of the weights. Default f32. */
  readonly dtype?: ExportDtype;
  /** Bytes of weights that an ONNX file may hold; more stand in a file beside it. Default: 1 GiB. */
  readonly limit?: number;
  /** Pictures on which the export is compared with the model. */
  readonly check?: ExportCheck;
}

/** What was written. */
export interface Exported {
  /** The ONNX files, by their names within the folder. */
  readonly files: readonly WrittenOnnx[];
  /** Where that was asked for. */
  readonly error?: ExportError;
}

/**
 * Exports a model (folder, file, bundled name or hub id) to the new folder `target`, whole or not at all. Its members
 * are averaged within the graph; training-only layers are left out.
 * @throws InputError when the model cannot be read, or the folder has something in it or cannot be written; the
 *   signal's reason when aborted
 */
export async function exportModel(
  name: string,
  target: string,
  options: ExportOptions = {},
): Promise<Exported> {
  checkFormat(options);
  await checkNewFolder(target);
  const pictures = options.check && (await picturesToCheck(options.check));
  return withModels(name, options, async (models, path) => {
    const { files } = await replaceFolder(target, (folder) => writeExport(folder, models, options));
    if (!options.check || !pictures) return { files };
    const placed = files.map((file) => ({ ...file, path: join(target, file.path) }));
    return { files, error: await checkExport(path, placed, pictures, options.check, options) };
  });
}

/** @throws UsageError when the layout has no op for the format */
function checkFormat({ layout = defaultLayout, dtype = defaultDtype }: ExportOptions): void {
  const { dtypes } = layouts[layout];
  if (!dtypes.includes(dtype))
    throw new UsageError(
      `dtype ${dtype} needs an op of ONNX Runtime's own (MatMulNBits), but the layout ${layout} keeps to the ONNX standard; use ${dtypes.join(', ')}, or the layout transformers.js`,
    );
}

const defaultLayout: LayoutName = 'transformers.js';
const defaultDtype: ExportDtype = 'f32';

async function writeExport(
  folder: string,
  models: readonly PretrainedModel[],
  { layout: name = defaultLayout, dtype = defaultDtype, limit, signal }: ExportOptions,
): Promise<Exported> {
  const layout = layouts[name];
  const root = new Scope();
  const members = models.map(({ config }, i): Member => ({ config, scope: placeOf(root, i) }));
  const { encoder, decoder } = layout.graphs(members);
  const names = layout.fileNames(dtype);
  const write = async (path: string, outputs: Readonly<Record<string, Value>>) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    const plan = planWeights(outputs, reader(models), dtype);
    const sized = limit === undefined ? {} : { limit };
    return { ...(await writeOnnx(join(folder, path), plan, { ...sized, signal })), path };
  };
  const files = [await write(names.encoder, encoder), await write(names.decoder, decoder)];
  const withData = files.filter(({ hasDataFile }) => hasDataFile);
  await layout.writeFiles(folder, models, {
    dtype,
    dataFiles: withData.map(({ path }) => basename(path)),
  });
  return { files };
}

/** Where the parameters of a member lie: those of the first at the root, as in a checkpoint. */
function placeOf(root: Scope, index: number): Scope {
  return index === 0 ? root : root.at(`${memberPrefix}${index + 1}`);
}

const memberPrefix = 'member-';

/** Reads a parameter from the checkpoint of its member. */
function reader(models: readonly PretrainedModel[]): ReadParameter {
  return (name) => {
    const [, number = '1', own = name] = /^member-(\d+)\.(.*)$/.exec(name) ?? [];
    return models[Number(number) - 1].weights.readFloat32(own);
  };
}
