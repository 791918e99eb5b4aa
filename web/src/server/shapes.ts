/** Shapes of the server's answers, until its own are there. */
export interface WordEvent {
  readonly text: string;
  readonly logprob: number;
  readonly index: number;
}
interface CaptionShape {
  readonly text: string;
  readonly logprob: number;
  readonly meanLogprob: number;
  readonly words?: readonly { readonly text: string; readonly logprob: number }[];
}
export interface CaptionEventData {
  readonly index: number;
  readonly name: string;
  readonly caption: string;
  readonly captions: readonly CaptionShape[];
  readonly width: number;
  readonly height: number;
  readonly ms: number;
}
export interface ErrorAnswer {
  readonly error: { readonly message: string; readonly code: number };
}
