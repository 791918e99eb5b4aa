/**
 * Checks by hand what `refcap export --layout onnx` writes, with `onnx` (checker, reference evaluator), `onnxruntime` and
 * `numpy` of PyPI:
 *
 *     npx tsx scripts/check-export.ts PYTHON MODEL [PICTURES]
 *
 * The files have no vendor's ops; ONNX Runtime in Python writes refcap's greedy ids for refcap's pixels, with logits
 * within 1e-4 in ONNX Runtime and, for the first step, in onnx's own evaluator. PICTURES: a folder, default samples/.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Captioner } from '../src/caption/captioner.ts';
import { exportModel } from '../src/export/export.ts';

const program = `
import json, sys, numpy as np, onnx, onnxruntime
from onnx.reference import ReferenceEvaluator
folder = sys.argv[1]
settings = json.load(open(f"{folder}/check.json"))
for name in ("encoder", "decoder"):
    path = f"{folder}/{name}.onnx"
    onnx.checker.check_model(path, full_check=True)
    graph = onnx.load(path, load_external_data=False)
    domains = {o.domain for o in graph.opset_import} | {n.domain for n in graph.graph.node}
    assert domains == {""}, domains
print(f"onnx.checker {onnx.__version__} passes both files; no vendor's ops")
encoder, decoder = (onnxruntime.InferenceSession(f"{folder}/{n}.onnx") for n in ("encoder", "decoder"))
pixels = np.fromfile(f"{folder}/pixels.bin", np.float32).reshape(settings["shape"])
count = len(pixels)
names = [o.name for o in encoder.get_outputs()]
cross = dict(zip(names, encoder.run(None, {"pixel_values": pixels})))
empty = {i.name: np.zeros([d if isinstance(d, int) else count if d == "batch_size" else 0 for d in i.shape], np.float32)
         for i in decoder.get_inputs() if i.name.startswith("past_")}
first = {"input_ids": np.full([count, 1], settings["start"], np.int64), **cross, **empty}
past, ids, outputs = empty, first["input_ids"], [o.name for o in decoder.get_outputs()]
for step in range(settings["longest"] - 1):
    result = dict(zip(outputs, decoder.run(None, {"input_ids": ids[:, -1:], **cross, **past})))
    if step == 0: logits = result["logits"]
    ids = np.concatenate([ids, result["logits"][:, -1].argmax(-1)[:, None]], 1)
    past = {n.replace("present", "past"): v for n, v in result.items() if n != "logits"}
rows = [row[: row.index(settings["end"], 1) + 1] if settings["end"] in row[1:] else row for row in ids.tolist()]
same = sum(a == b for a, b in zip(rows, settings["ids"]))
print(f"onnxruntime {onnxruntime.__version__}: {same} of {count} captions have refcap's ids")
slow = dict(zip(names, ReferenceEvaluator(f"{folder}/encoder.onnx").run(None, {"pixel_values": pixels[:1]})))
one = {n: v[:1] for n, v in first.items()}
plain = ReferenceEvaluator(f"{folder}/decoder.onnx").run(None, {**one, **slow})[outputs.index("logits")]
error = float(np.abs(plain - logits[:1]).max())
print(f"reference evaluator: logits within {error:.1e} of ONNX Runtime's")
sys.exit(not (same == count and error < 1e-4))
`;

const [python, model, pictures = 'samples'] = process.argv.slice(2);
if (!python || !model) throw new Error('usage: check-export.ts PYTHON MODEL [PICTURES]');
const folder = mkdtempSync(join(tmpdir(), 'refcap-check-export-'));
try {
  const out = join(folder, 'export');
  await exportModel(model, out, { layout: 'onnx' });
  using captioner = await Captioner.load(model);
  const paths = readdirSync(pictures)
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .slice(0, 24)
    .map((name) => join(pictures, name));
  const prepared = await Promise.all(paths.map((path) => captioner.prepare(path)));
  const longest = 20;
  const generation = { num_beams: 1, max_length: longest, suppress_tokens: [] };
  const captions = await captioner.captionPrepared(prepared, generation);
  const { text_config, vision_config } = captioner.config;
  const size = vision_config.image_size;
  writeFileSync(
    join(out, 'pixels.bin'),
    Buffer.concat(
      prepared.map(({ pixels }) =>
        Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength),
      ),
    ),
  );
  const settings = {
    shape: [paths.length, 3, size, size],
    start: text_config.bos_token_id,
    end: text_config.sep_token_id,
    longest,
    ids: captions.map(({ captions: [{ ids }] }) => ids),
  };
  writeFileSync(join(out, 'check.json'), JSON.stringify(settings));
  execFileSync(python, ['-c', program, out], { stdio: 'inherit' });
} finally {
  rmSync(folder, { recursive: true });
}
