/** Has the model come, and the page while it does. */
import { pageIsKept } from './keeping.ts';
import { LocalWriter } from './writer.ts';

const root = document.getElementById('page');
const writer = new LocalWriter('./model/', pageIsKept());
const { showPage } = await import('./app.tsx');
if (root) showPage(root, writer);
