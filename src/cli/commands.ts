/** The list of subcommands: what --help shows, and how each is loaded. */
import type { Command } from 'commander';

export interface LazyCommand {
  name: string;
  summary: string;
  load(): Promise<{ command: Command }>;
}

export const commands: LazyCommand[] = [
  {
    name: 'score',
    summary: 'score captions against references: BLEU, METEOR, ROUGE, CIDEr, diversity',
    load: () => import('./score.ts'),
  },
];
