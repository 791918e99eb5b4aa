/** Puts the page together. */
import { render } from 'preact';
import { Page } from './page.ts';
import { App } from './view/app.tsx';

const root = document.getElementById('page');
if (root) render(<App page={new Page()} />, root);
