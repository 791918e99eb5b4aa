/** Numbers as the page shows them. */
export {
  formatConfidence as percent,
  shareOfPicture as shareOf,
} from '../../../src/confidence/shown.ts';
