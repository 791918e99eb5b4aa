/** What brings bytes from process to process. All ranks call the same in the same order. */
export interface Transport {
  readonly rank: number;
  readonly size: number;
  /** Waits until all ranks are there, at no cost to the processor. */
  meet(): Promise<void>;
  /** Sends the n-th of equal pieces to rank n, and receives one from each, in their order. */
  allToAll(pieces: Uint8Array, received: Uint8Array): Promise<void>;
  /** Sends a piece to all, and receives one from each, in their order. */
  allGather(piece: Uint8Array, received: Uint8Array): Promise<void>;
  /** Gives the first rank's bytes to all, in place. */
  broadcast(bytes: Uint8Array): Promise<void>;
}
