/** Scenes found in films made of photos, against where they were joined; and which way of captioning a scene is best. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Captioner } from '../src/caption/captioner.ts';
import { readFrames } from '../src/data/films/frames.ts';
import { FramePool, sceneFrames } from '../src/data/films/pool.ts';
import { probeFilm } from '../src/data/films/probe.ts';
import { scoreCorpus } from '../src/metrics/corpus/score.ts';
import { type DescribeOptions, describeScene } from '../src/video/captions/describe.ts';
import type { DetectorName } from '../src/video/scenes/detectors.ts';
import { filmScenes } from '../src/video/scenes/scenes.ts';

const usage = `Usage: npm run bench -- video [FLICKR8K [PHOTOS] | CLIPS]
Without a folder: cuts, in films of samples/. With the folder of Flickr8k: captions, of films of its first dev images (60).
With a folder of clips and captions.jsonl (file, captions): captions of each clip as one scene.`;

export async function run(args: readonly string[]): Promise<number> {
  if (args.length > 2) {
    console.error(usage);
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), 'refcap-bench-video-'));
  try {
    if (args.length === 0) await measureCuts(folder);
    else if (existsSync(join(args[0], 'captions.jsonl'))) await measureClips(args[0]);
    else await measureCaptions(args[0], Number(args[1] ?? 60), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

const rate = 25;
/** Frames of a photo that no other photo is in. */
const alone = 60;

/** How a photo gives way to the next: frames that have both, ffmpeg's name of it, and frames that are darkened before and behind. */
const joints = {
  cut: { frames: 0, transition: '', dark: 0 },
  dissolve: { frames: 12, transition: 'fade', dark: 0 },
  'fade through black': { frames: 0, transition: '', dark: 12 },
  wipe: { frames: 12, transition: 'wipeleft', dark: 0 },
} as const;
type Joint = keyof typeof joints;

/** A film of photos that move and grow. @returns the frames at which a new photo is half there */
function makeFilm(path: string, photos: readonly string[], joint: Joint): number[] {
  const { frames, transition, dark } = joints[joint];
  const length = alone + frames;
  const motion = (i: number) =>
    `zoompan=z='1+0.3*on/${length}':x='(iw-iw/zoom)*${i % 2 === 0 ? '' : '1-'}on/${length}':d=${length}:s=480x360:fps=${rate}`;
  const fades = dark === 0 ? '' : `fade=in:0:${dark},fade=out:${length - dark}:${dark},`;
  const clips = photos.map(
    (_, i) =>
      `[${i}]scale=960:720,setsar=1,${motion(i)},${fades}format=yuv420p,settb=1/${rate}[c${i}]`,
  );
  const joined =
    frames === 0
      ? [`${photos.map((_, i) => `[c${i}]`).join('')}concat=n=${photos.length}[out]`]
      : photos.slice(1).map((_, i) => {
          const from = i === 0 ? '[c0]' : `[x${i}]`;
          const to = i === photos.length - 2 ? '[out]' : `[x${i + 1}]`;
          const how = `transition=${transition}:duration=${frames / rate}:offset=${((i + 1) * alone) / rate}`;
          return `${from}[c${i + 1}]xfade=${how}${to}`;
        });
  const inputs = photos.flatMap((photo) => ['-i', photo]);
  const graph = [...clips, ...joined].join(';');
  const encoding = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20'];
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-y',
    ...inputs,
    '-filter_complex',
    graph,
    '-map',
    '[out]',
    ...encoding,
    path,
  ]);
  return photos.slice(1).map((_, i) => (i + 1) * alone + frames / 2);
}

async function measureCuts(folder: string): Promise<void> {
  const photos = readdirSync('samples')
    .filter((name) => name.endsWith('.jpg'))
    .map((name) => join('samples', name));
  console.log(
    '| joint | detector | found | F1 at 0 frames | F1 at 1 frame |\n|---|---|---|---|---|',
  );
  for (const joint of Object.keys(joints) as Joint[]) {
    const path = join(folder, 'film.mp4');
    const wanted = makeFilm(path, photos, joint);
    const film = await probeFilm(path);
    for (const detector of ['adaptive', 'content', 'fades'] satisfies DetectorName[]) {
      const found: number[] = [];
      for await (const { firstFrame } of filmScenes(film, { scenes: { detector } }))
        found.push(firstFrame);
      found.shift();
      const scores = [0, 1].map((distance) => f1(found, wanted, distance).toFixed(2));
      console.log(
        `| ${joint} | ${detector} | ${found.length} of ${wanted.length} | ${scores.join(' | ')} |`,
      );
    }
  }
}

function f1(found: readonly number[], wanted: readonly number[], distance: number): number {
  const right = wanted.filter((cut) => found.some((one) => Math.abs(one - cut) <= distance)).length;
  return found.length === 0 ? 0 : (2 * right) / (found.length + wanted.length);
}

const ways: Readonly<Record<string, DescribeOptions & { readonly frames: number }>> = {
  'middle frame': { frames: 1 },
  '4 frames together': { frames: 4 },
  '8 frames together': { frames: 8 },
  '8 frames vote': { frames: 8, vote: true },
};
const photosEach = 10;

async function measureCaptions(flickr: string, count: number, folder: string): Promise<void> {
  const references = new Map<string, string[]>();
  for (const line of readFileSync(join(flickr, 'Flickr8k.token.txt'), 'utf8').split('\n')) {
    const [name, text] = line.split('\t');
    const image = name.split('#')[0];
    if (text !== undefined) references.set(image, [...(references.get(image) ?? []), text]);
  }
  const names = readFileSync(join(flickr, 'Flickr_8k.devImages.txt'), 'utf8')
    .trim()
    .split(/\s+/)
    .slice(0, count);
  using captioner = await Captioner.load();
  const said = Object.keys(ways).map((): string[] => []);
  for (let at = 0; at < names.length; at += photosEach) {
    const path = join(folder, 'film.mp4');
    const photos = names.slice(at, at + photosEach);
    makeFilm(
      path,
      photos.map((name) => join(flickr, 'images', name)),
      'cut',
    );
    const pool = new FramePool(8);
    const film = await probeFilm(path);
    for await (const frame of readFrames(film)) {
      pool.add(frame);
      if ((frame.index + 1) % alone !== 0) continue;
      const [firstFrame, endFrame] = [frame.index + 1 - alone, frame.index + 1];
      const scene = {
        number: 1,
        start: firstFrame / rate,
        end: endFrame / rate,
        firstFrame,
        endFrame,
      };
      const kept = pool.take(scene);
      for (const [i, way] of Object.values(ways).entries())
        said[i].push(
          (await describeScene(captioner, scene, sceneFrames(kept, scene, way.frames), way)).caption
            .text,
        );
    }
    console.error(`${at + photos.length} of ${names.length} photos`);
  }
  await printScores(
    said,
    names.map((name) => references.get(name) ?? []),
  );
}

/** @param said of each way a caption for each scene @param texts of each scene what people wrote */
async function printScores(said: readonly string[][], texts: readonly string[][]): Promise<void> {
  for (const [i, way] of Object.keys(ways).entries()) {
    const { scores } = await scoreCorpus(said[i], texts, { metrics: 'bleu,CIDEr' });
    const [cider, ...bleu] = [scores.CIDEr, scores.Bleu_2, scores.Bleu_4].map((x) => x.toFixed(3));
    console.log(`${way}: CIDEr-D ${cider}, BLEU-2 ${bleu[0]}, BLEU-4 ${bleu[1]}`);
  }
}

async function measureClips(folder: string): Promise<void> {
  const rows = readFileSync(join(folder, 'captions.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line): { file: string; captions: string[] } => JSON.parse(line))
    .filter(({ captions }) => captions.length > 0);
  using captioner = await Captioner.load();
  const said = Object.keys(ways).map((): string[] => []);
  for (const { file } of rows) {
    const pool = new FramePool(8);
    const film = await probeFilm(join(folder, file));
    let endFrame = 0;
    for await (const frame of readFrames(film)) {
      pool.add(frame);
      endFrame = frame.index + 1;
    }
    const scene = { number: 1, start: 0, end: endFrame / film.rate, firstFrame: 0, endFrame };
    const kept = pool.take(scene);
    for (const [i, [name, way]] of Object.entries(ways).entries()) {
      const chosen = sceneFrames(kept, scene, way.frames);
      const { caption } = await describeScene(captioner, scene, chosen, way);
      said[i].push(caption.text);
      console.log(`${file}, ${name}: ${caption.text}`);
    }
  }
  await printScores(
    said,
    rows.map(({ captions }) => captions),
  );
}
