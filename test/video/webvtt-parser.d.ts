/** webvtt-parser has no types of its own: what the tests use of it. */
declare module 'webvtt-parser' {
  interface ParsedCue {
    readonly startTime: number;
    readonly endTime: number;
    readonly text: string;
  }
  export class WebVTTParser {
    parse(
      text: string,
      mode?: 'chapters',
    ): { readonly cues: readonly ParsedCue[]; readonly errors: readonly unknown[] };
  }
}
