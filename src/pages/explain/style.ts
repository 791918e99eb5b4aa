/** How an explanation's page looks. Shades differ in lightness, which every eye can tell. */
export const explainStyle = `
.picture { position: relative; overflow: hidden; background-size: 100% 100%; border-radius: .35rem; width: 100%; }
.veil { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.key, .words { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem; margin: .75rem 0; padding: 0; }
.word { display: inline-block; font: inherit; min-width: 2.75rem; min-height: 2.75rem; padding: .5rem .6rem; line-height: 1.5;
  border: 2px solid #5b6672; border-radius: .4rem; text-align: center; }
.key .word { min-height: 0; padding: 0 .6rem; font-size: .875rem; }
button.word { cursor: pointer; }
button.word[aria-pressed=true] { outline: 3px solid var(--text); outline-offset: 1px; text-decoration: underline; }
.level0 { background: #fff; color: #1b1f24; border-style: dashed; }
.level1 { background: #d5e5f4; color: #1b1f24; }
.level2 { background: #86b6de; color: #10161c; }
.level3 { background: #0a4478; color: #fff; }
.about { min-height: 3em; margin: .25rem 0 .75rem; }
.explained { margin: 2rem 0; }
.sheet { list-style: none; margin: .75rem 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(11rem, 100%), 1fr)); }
.sheet figure { margin: 0; }
.sheet figcaption { font-size: .875rem; padding: .25rem 0; overflow-wrap: anywhere; }
`;
