/** Downloads: lines, columns and text files, read back by other readers. */
import { parse } from 'csv-parse/sync';
import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import {
  rowsOf,
  textNames,
  toCsv,
  toJsonLines,
  toTextFiles,
} from '../../../web/src/download/files.ts';
import { newPicture, type Picture } from '../../../web/src/pictures/picture.ts';

function captioned(name: string, ...texts: string[]): Picture {
  const picture = newPicture(name, new File([], name));
  const captions = texts.map((text, i) => ({ text, logprob: -4 - i, meanLogprob: -0.5 - i }));
  const result = { caption: texts[0], captions, width: 640, height: 480, ms: 12 };
  picture.state.value = { kind: 'done', result };
  return picture;
}

const chosen = captioned('trip/a, b.jpg', 'a dog', 'a "cat"');
chosen.chosen.value = 1;
const edited = captioned('c.jpg', 'a man');
edited.edited.value = 'a wöman,\nat sea';
const waiting = newPicture('d.jpg', new File([], 'd.jpg'));
const rows = rowsOf([chosen, waiting, edited]);

describe('downloads', () => {
  it('hold the chosen or edited caption of each finished picture', () => {
    const size = { width: 640, height: 480 };
    expect(rows).toEqual([
      {
        file: 'trip/a, b.jpg',
        caption: 'a "cat"',
        edited: false,
        logprob: -5,
        meanLogprob: -1.5,
        ...size,
      },
      { file: 'c.jpg', caption: 'a wöman,\nat sea', edited: true, ...size },
    ]);
  });

  it('are JSON lines', () => {
    const lines = toJsonLines(rows).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line))).toEqual(rows);
  });

  it('are CSV', () => {
    expect(parse(toCsv(rows))).toEqual([
      ['file', 'caption', 'logprob', 'meanLogprob', 'width', 'height', 'confidence'],
      ['trip/a, b.jpg', 'a "cat"', '-5', '-1.5', '640', '480', ''],
      ['c.jpg', 'a wöman,\nat sea', '', '', '640', '480', ''],
    ]);
  });

  it('are text files in an archive', () => {
    const files = Object.entries(unzipSync(toTextFiles(rows)));
    expect(files.map(([name, bytes]) => [name, strFromU8(bytes)])).toEqual([
      ['trip/a, b.txt', 'a "cat"\n'],
      ['c.txt', 'a wöman,\nat sea\n'],
    ]);
  });

  it('have names of their own, in the folder where they are unpacked', () => {
    const given = [
      'a.jpg',
      'A.png',
      'a.b.jpg',
      '.hidden',
      'x/.y.jpg',
      '../../e.jpg',
      '/f',
      'g\\h.png',
      '..',
    ];
    expect(textNames(given)).toEqual([
      ...['a.txt', 'A (2).txt', 'a.b.txt', '.hidden.txt', 'x/.y.txt', 'e.txt', 'f.txt', 'g/h.txt'],
      'picture.txt',
    ]);
  });
});
