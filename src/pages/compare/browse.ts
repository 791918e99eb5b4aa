/** The script of a comparison's page: sorts, filters and shows the pictures. It runs in the reader's browser. */
export const browse: string = String.raw`() => {
  const { metrics, images } = JSON.parse(document.getElementById('data').textContent);
  const form = document.getElementById('filters');
  const list = document.getElementById('list');
  const count = document.getElementById('count');
  const more = document.getElementById('more');
  const step = 48;
  let found = [];
  let shown = 0;
  const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
  const textOf = ({ captions, references }, where) => {
    if (where === 'a') return captions[0];
    if (where === 'b') return captions[1];
    if (where === 'references') return references.join(' ');
    if (where === 'captions') return captions.join(' ');
    return [...captions, ...references].join(' ');
  };
  const node = (name, text, attributes = {}) => {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const signed = (value) => (value < 0 ? '\u2212' : '+') + Math.abs(value).toFixed(3);
  const mappedWords = (words, isOwn, show) => {
    const buttons = words.map(({ text, about, veil }, at) => {
      const button = node('button', '', { type: 'button', class: 'word', 'aria-label': text + ': ' + about, tabindex: at === 0 ? '0' : '-1' });
      button.append(isOwn(text) ? node('u', text) : text);
      const choose = () => show(veil, text + ': ' + about);
      for (const event of ['pointerenter', 'focus', 'click']) button.addEventListener(event, choose);
      button.addEventListener('blur', () => show());
      button.addEventListener('pointerleave', () => document.activeElement !== button && show());
      button.addEventListener('keydown', (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
        const next = buttons[Math.min(buttons.length - 1, Math.max(0, at + step))];
        button.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
        event.preventDefault();
      });
      return button;
    });
    return buttons;
  };
  const captionLine = (image, which, metric, show) => {
    const line = node('p');
    const other = new Set(wordsOf(image.captions[1 - which]));
    const isOwn = (part) => wordsOf(part).some((word) => !other.has(word));
    line.append(node('b', which === 0 ? 'A ' : 'B ', { class: which === 0 ? 'a' : 'b' }));
    const words = show && image.words?.[which];
    if (words) line.append(...mappedWords(words, isOwn, show));
    else
      for (const part of image.captions[which].split(/(\s+)/))
        line.append(isOwn(part) ? node('u', part) : part);
    line.append(node('span', ' ' + image.scores[which][metric].toFixed(3), { class: 'quiet' }));
    return line;
  };
  const card = (image, metric) => {
    const item = node('li');
    const article = node('article', '', { tabindex: '-1', 'aria-label': image.file });
    const isMapped = image.picture && image.words?.some((words) => words);
    const about = node('p', '', { class: 'quiet about' });
    const veil = node('img', '', { class: 'veil', alt: '' });
    veil.hidden = true;
    const show = (address, text) => {
      veil.hidden = !address;
      if (address) veil.src = address;
      about.textContent = text ?? '';
    };
    if (image.picture) {
      const framed = node('div', '', { class: 'framed' });
      framed.append(node('img', '', { src: image.picture, alt: image.references[0], loading: 'lazy' }));
      if (isMapped) framed.append(veil);
      article.append(framed);
    }
    const change = image.scores[1][metric] - image.scores[0][metric];
    article.append(node('h3', image.file + ', ' + metrics[metric] + ' ' + signed(change) + ', disagreement ' + image.disagreement.toFixed(2)));
    for (const which of [0, 1]) article.append(captionLine(image, which, metric, isMapped && show));
    if (isMapped) article.append(about);
    const details = node('details');
    details.append(node('summary', image.references.length + ' references'));
    const references = node('ul');
    for (const text of image.references) references.append(node('li', text));
    details.append(references);
    article.append(details);
    item.append(article);
    return item;
  };
  const showMore = () => {
    const metric = metrics.indexOf(form.elements.metric.value);
    for (const image of found.slice(shown, shown + step)) list.append(card(image, metric));
    shown = Math.min(found.length, shown + step);
    more.hidden = shown === found.length;
  };
  const update = () => {
    const metric = metrics.indexOf(form.elements.metric.value);
    const { order, show, words, where, ...least } = Object.fromEntries(new FormData(form));
    const change = (image) => image.scores[1][metric] - image.scores[0][metric];
    const keep = {
      all: () => true,
      gain: (image) => change(image) > 0,
      loss: (image) => change(image) < 0,
      same: ({ captions }) => captions[0] === captions[1],
      different: ({ captions }) => captions[0] !== captions[1],
    }[show];
    const orders = {
      gain: (image) => -change(image),
      loss: change,
      change: (image) => -Math.abs(change(image)),
      disagreement: (image) => -image.disagreement,
      low: (image) => image.scores[0][metric] + image.scores[1][metric],
    };
    const wanted = wordsOf(words);
    found = images.filter((image) => {
      if (!keep(image) || Math.abs(change(image)) < Number(least.change)) return false;
      if (image.disagreement < Number(least.disagreement)) return false;
      const there = new Set(wordsOf(textOf(image, where)));
      return wanted.every((word) => there.has(word));
    });
    const byName = (x, y) => (x.file < y.file ? -1 : x.file > y.file ? 1 : 0);
    const key = orders[order];
    found.sort(key ? (x, y) => key(x) - key(y) || byName(x, y) : byName);
    const better = found.filter((image) => change(image) > 0).length;
    const worse = found.filter((image) => change(image) < 0).length;
    count.textContent = found.length + ' of ' + images.length + ' pictures; by ' + metrics[metric] + ' B is better in ' +
      better + ', A in ' + worse + ', even in ' + (found.length - better - worse) + '.';
    list.replaceChildren();
    shown = 0;
    showMore();
  };
  form.addEventListener('input', update);
  form.addEventListener('submit', (event) => event.preventDefault());
  more.addEventListener('click', () => {
    const first = shown;
    showMore();
    list.children[first]?.firstElementChild.focus();
  });
  const keys = document.getElementById('keys');
  document.addEventListener('keydown', (event) => {
    if (!keys.checked || event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input:not([type=checkbox]), select, textarea')) return;
    const cards = [...list.querySelectorAll('article')];
    const at = cards.indexOf(event.target.closest('article'));
    if (event.key === 'j' || event.key === 'k') {
      if (event.key === 'j' && at === cards.length - 1 && shown < found.length) showMore();
      list.querySelectorAll('article')[Math.max(0, at + (event.key === 'j' ? 1 : -1))]?.focus();
    } else if (event.key === '/') form.elements.words.focus();
    else return;
    event.preventDefault();
  });
  update();
}`;
