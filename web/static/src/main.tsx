/** Puts the page together that captions pictures by itself. */
import { render } from 'preact';
import { Page } from '../../src/page.ts';
import { App } from '../../src/view/app.tsx';
import { Introduction, texts } from './introduction.tsx';
import { LocalWriter } from './writer.ts';

const root = document.getElementById('page');
const writer = new LocalWriter('./model/');
const page = new Page(() => writer);
if (root)
  render(
    <App page={page} introduction={<Introduction page={page} writer={writer} />} texts={texts} />,
    root,
  );
// Where pages by plain HTTP have none, the page works without.
const workers: ServiceWorkerContainer | undefined = navigator.serviceWorker;
workers?.register('./service-worker.js').catch(() => undefined);
