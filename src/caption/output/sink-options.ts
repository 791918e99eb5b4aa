/** How an output that is there is dealt with. */

/** What to do with results of an earlier run. */
export interface SinkOptions {
  /** Skip the pictures that the output holds, and go on behind them. */
  readonly resume: boolean;
  /** Replace what is there. */
  readonly overwrite: boolean;
  /** Captions of each picture: fewer in the output mean a picture to be done again. */
  readonly candidates: number;
  /** Pictures a batch: a batch of which a part was written is done again as a whole. */
  readonly batchSize: number;
}
