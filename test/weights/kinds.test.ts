/** Files that hold no weights are called by their name. */
import { describe, expect, it } from 'vitest';
import { describeKind } from '../../src/weights/kinds.ts';

const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

describe('describeKind', () => {
  it.each([
    ['m.bin', 'GGUF\x03\0\0\0', /^a GGUF file/],
    ['m.bin', 'PAR1\x15\x04', /^a Parquet table/],
    ['m.pth', `${'a.jpg'.padEnd(257, '\0')}ustar\0`, /^a tar archive; unpack it/],
    ['m.pt', '\x1f\x8b\x08', /^a gzip file/],
    ['m.h5', '\x89HDF\r\n', /^an HDF5 file/],
    ['m.onnx', '\x08\x08\x12\x07pytorch', /^an ONNX graph/],
    ['m', '\x08\x0a\x12\x07pytorch', /^an ONNX graph/],
    ['m.safetensors', '<!doctype html>', /^a web page/],
    ['m.bin', '{"a": 1}', /^a JSON text/],
    ['m.jpg', '\xff\xd8\xff\xe0', /^a picture/],
    ['m.msgpack', '\xde\0\x10', /^a file of Flax/],
    ['m.bin', '', /^an empty file/],
  ])('knows %s that begins with %j', (path, start, sentence) => {
    expect(describeKind(path, latin1(start))).toMatch(sentence);
  });

  it('says nothing of what it does not know', () => {
    expect(describeKind('m.bin', latin1('some words'))).toBeUndefined();
    expect(describeKind('m', latin1('\x80\x02ccollections'))).toBeUndefined();
  });
});
