/** `refcap/notebook`: what a notebook's cells show: tables with pictures, curves of training, words over a picture. */
export { showCurves } from './curves.ts';
export { type ShownImage, type SmallPictureOptions, smallPicture } from './picture.ts';
export { Shown } from './shown.ts';
export { showTable, type TableCell } from './table.ts';
export { showWords } from './words.ts';
