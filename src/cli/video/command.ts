/** `refcap video`: films in, scenes with captions out: tables, subtitles, chapters, a contact sheet. */
import { Option } from '@commander-js/extra-typings';
import { decoderNames } from '../../data/films/decoder.ts';
import { filmFormats } from '../../video/output/formats.ts';
import { detectorNames } from '../../video/scenes/detectors.ts';
import { membersOption, modelCommand, quantizeOption } from '../options/model.ts';
import { frameCount, number, positive, whole } from '../options/values.ts';
import { checkPlaces, checkVideoFlags, formatsOf, type VideoFlags } from './flags.ts';
import { formatList, sceneLength, time } from './values.ts';

const help = `
Films are read by ffmpeg where it and its ffprobe are on the PATH, else by the npm package node-av where
it is installed (npm install --ignore-scripts node-av; its binary is under the GPL). Folders stand for the
films in them.

Scenes are those of PySceneDetect's detectors: adaptive (changes that stand out of their neighbours),
content (changes above a threshold), fades (to black) and white-fades. A scene is captioned from its
middle frame, or from several (--frames); neighbouring scenes that say the same are one.

Formats: text (path, start, end, caption), json and jsonl (with frames, confidence and words), srt and
vtt (subtitles: 2 lines of 42 characters, 5/6 to 7 s, none across a cut), chapters and descriptions
(WebVTT of those kinds, a cue for each scene).

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some films failed, 130 interrupted.

Examples:
  refcap video film.mp4
  refcap video film.mp4 --format vtt > film.vtt
  refcap video film.mp4 --scenes-only --detector content
  refcap video films --format vtt,chapters,json --beside
  refcap video films --output films.jsonl --resume
  refcap video film.mp4 --contact-sheet film.html`;

export const command = modelCommand('video')
  .summary('caption films: scenes, subtitles, chapters')
  .description('Caption films: a line for each scene, its times and its caption.')
  .argument('<inputs...>', 'films, or folders of films')
  .option('--workers <n>', 'scenes at a time, each in a thread', whole, 1)
  .addOption(quantizeOption())
  .addOption(membersOption())
  .option('--beams <n>', "beams of beam search (default: the model's own)", positive)
  .option('--max-new-tokens <n>', 'most tokens after the prompt', positive)
  .option('--prompt <text>', 'what every caption begins with')
  .addOption(
    new Option(
      '--decoder <name>',
      'what reads films (default: ffmpeg where it is there, else node-av)',
    ).choices(decoderNames),
  )
  .option('--scenes-only', 'print scenes, without captions')
  .addOption(
    new Option('--detector <name>', 'how scenes are told apart')
      .choices(detectorNames)
      .default('adaptive'),
  )
  .option(
    '--threshold <x>',
    "the detector's (default: adaptive 3, content 27, fades 12, white-fades 243)",
    number,
  )
  .option('--min-scene <length>', 'shortest scene, in frames or as 0.6s (default: 15)', sceneLength)
  .option('--start <time>', 'where to begin: 90, 1:30, 1:02:03.5', time)
  .option('--end <time>', 'where to stop', time)
  .option(
    '--frames <n>',
    "frames that a scene is captioned from, or 'middle' (default: as many as the model learned from clips, else middle; with --vote 8)",
    frameCount,
  )
  .option('--vote', "caption each frame and take the caption nearest to the others'")
  .option('--no-join', 'keep neighbouring scenes that say the same apart')
  .option(
    '-f, --format <formats>',
    `${filmFormats.join(', ')}; several with commas (default: text)`,
    formatList,
  )
  .option('-o, --output <file>', 'write to a file instead of the standard output')
  .option('-d, --output-folder <folder>', 'write a file for each film and format')
  .option('--beside', 'write these files beside the films')
  .option('--contact-sheet <file>', 'also write a page of the scenes with pictures')
  .option('-r, --recursive', 'also look into the folders of folders')
  .option('--resume', 'skip films whose results are there')
  .option('--overwrite', 'replace what is there')
  .option('--fail-fast', 'stop at the first film that fails')
  .option('-q, --quiet', 'no progress and no summary')
  .addHelpText('after', help)
  .action(run);

async function run(inputs: string[], flags: VideoFlags): Promise<void> {
  const formats = formatsOf(flags);
  checkVideoFlags(flags, formats);
  await checkPlaces(flags);
  const { runVideo } = await import('./run.ts');
  await runVideo(inputs, formats, flags);
}
