/** Loads METEOR's packed synonym data from its file (Node). */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { decodeMeteorData, type MeteorData } from '../../metrics/meteor/data.ts';

let loaded: MeteorData | undefined;

/** WordNet for METEOR, from the file that ships with the package; read once a process (or worker). */
export function loadMeteorData(): MeteorData {
  loaded ??= decodeMeteorData(gunzipSync(readFileSync(meteorDataPath())));
  return loaded;
}

/** The same, unpacked beside whatever else the process does. */
export async function readMeteorData(): Promise<MeteorData> {
  if (loaded) return loaded;
  const bytes = await promisify(gunzip)(await readFile(meteorDataPath()));
  loaded ??= decodeMeteorData(bytes);
  return loaded;
}

/** Where the packed data are: `data/meteor-en.bin.gz` beside `src` or `dist`. */
export function meteorDataPath(): string {
  return fileURLToPath(new URL('../../../data/meteor-en.bin.gz', import.meta.url));
}
