/** The page of the tests of elements and alt texts. */
import { defineCaptionElement, fillAltTexts } from '../../../src/browser/index.ts';
import { sendPicture } from '../../../src/browser/picture.ts';

Object.assign(globalThis, { defineCaptionElement, fillAltTexts, sendPicture });
