/** What a file is that holds no weights we read, told from its first bytes and its name. */
import { extname } from 'node:path';

/** Bytes to look at: the tar format has its mark at 257. */
export const kindBytes = 512;

interface Kind {
  /** The bytes, as Latin-1 text, at the beginning or at `at`. */
  readonly mark: string;
  readonly at?: number;
  readonly is: string;
}

const unpack = (what: string) => `${what}; unpack it and name the model in it`;
const inPython =
  'only PyTorch weights are read: load it in Python and save_pretrained(), or take the model.safetensors it was made from';
const packed = unpack('a packed file');

const kinds: readonly Kind[] = [
  { mark: 'GGUF', is: `a GGUF file of llama.cpp; ${inPython}` },
  { mark: 'PAR1', is: 'a Parquet table, which holds data and not a model' },
  { mark: 'ustar', at: 257, is: unpack('a tar archive') },
  { mark: '\x1f\x8b', is: unpack('a gzip file') },
  { mark: 'BZh', is: packed },
  { mark: '\xfd7zXZ', is: packed },
  { mark: '\x28\xb5\x2f\xfd', is: packed },
  { mark: '7z\xbc\xaf', is: packed },
  { mark: 'Rar!', is: packed },
  { mark: '\x89HDF', is: `an HDF5 file of Keras or TensorFlow; ${inPython}` },
  { mark: '\x93NUMPY', is: `a NumPy array; ${inPython}` },
  { mark: '\xff\xd8\xff', is: 'a picture; name the model with --model and pictures as inputs' },
  { mark: '\x89PNG', is: 'a picture; name the model with --model and pictures as inputs' },
  { mark: '<', is: 'a web page or XML; the download brought a page in place of the file' },
];

const byExtension: Readonly<Record<string, string>> = {
  '.onnx': `an ONNX graph; ${inPython}`,
  '.tflite': `a TensorFlow Lite graph; ${inPython}`,
  '.pb': `a TensorFlow graph; ${inPython}`,
  '.h5': `a file of Keras or TensorFlow; ${inPython}`,
  '.msgpack': `a file of Flax; ${inPython}`,
  '.npz': `a file of NumPy arrays; ${inPython}`,
  '.tar': unpack('a tar archive'),
  '.zip': unpack('a zip archive'),
  '.parquet': 'a Parquet table, which holds data and not a model',
};

/**
 * What a file is, as the end of a sentence, with the way out.
 * @param start its first `kindBytes` bytes
 */
export function describeKind(path: string, start: Uint8Array): string | undefined {
  if (start.length === 0) return 'an empty file; copy or download it again';
  const text = latin1(start);
  const marked = kinds.find(({ mark, at = 0 }) => text.startsWith(mark, at));
  if (marked) return marked.is;
  // A serialised ModelProto begins with its ir_version and its producer's name.
  if (start[0] === 0x08 && start[1] <= 0x20 && start[2] === 0x12) return byExtension['.onnx'];
  if (/^\s*[{[]/.test(text)) return 'a JSON text and no weights; name the folder of the model';
  return byExtension[extname(path).toLowerCase()];
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
