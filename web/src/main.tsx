/** Puts the page together. */
import { render } from 'preact';
import { Page } from './page.ts';
import { ServerClient } from './server/client.ts';
import { App } from './view/app.tsx';
import { ServerIntroduction, serverTexts } from './view/server.tsx';

const root = document.getElementById('page');
const page = new Page((token) => new ServerClient(token));
if (root)
  render(
    <App page={page} introduction={<ServerIntroduction page={page} />} texts={serverTexts} />,
    root,
  );
