/** Which pictures of a page have no alt text: one line a case, by the kind of the page. */
import { describe, expect, it } from 'vitest';
import { findGaps } from '../../../src/alt/pages/kinds.ts';
import { lineStarts, positionOf } from '../../../src/alt/pages/position.ts';

/** `problem source` of each gap, or why the page is broken. */
function found(text: string, ending = '.html', includeEmpty = false): string[] {
  const result = findGaps(text, ending, { includeEmpty });
  if (result.kind === 'broken') return [`broken at ${result.offset}: ${result.reason}`];
  return result.gaps.map(({ problem, sources }) => `${problem} ${sources.join(' ')}`.trim());
}

describe('HTML', () => {
  it.each<[string, string[]]>([
    ['<img src="a.jpg">', ['missing a.jpg']],
    ["<IMG\r\n SRC='a.jpg'\r\n>", ['missing a.jpg']],
    ['<img src=a.jpg><img src="b.jpg" alt="words">', ['missing a.jpg']],
    ['<img src="a&amp;b.jpg">', ['missing a&b.jpg']],
    // Decoration, said in one of the ways that there are.
    ['<img src="a.jpg" alt="">', []],
    ['<img src="a.jpg" alt>', []],
    ['<img src="a.jpg" role="presentation">', []],
    ['<img src="a.jpg" alt=" " role="none">', []],
    ['<img src="a.jpg" aria-hidden="true">', []],
    ['<div aria-hidden="true"><p><img src="a.jpg"></p></div>', []],
    // Empty by mistake.
    ['<img src="a.jpg" alt=" ">', ['empty a.jpg']],
    ['<a href="/"><img src="a.jpg" alt=""></a>', ['empty a.jpg']],
    ['<button><span> <img src="a.jpg" alt=""></span></button>', ['empty a.jpg']],
    ['<a href="/"><img src="a.jpg" alt=""> Home</a>', []],
    ['<a href="/" aria-label="Home"><img src="a.jpg" alt=""></a>', []],
    ['<a href="/"><img src="a.jpg" alt=""><img src="b.jpg" alt="Home"></a>', []],
    ['<a href="/"><img src="a.jpg" alt=""><svg></svg></a>', []],
    ['<a name="x"><img src="a.jpg" alt=""></a>', []],
    // Another name that a person gave.
    ['<img src="a.jpg" aria-label="words"><img src="b.jpg" aria-labelledby="x">', []],
    ['<img src="a.jpg" title="words">', ['missing a.jpg']],
    // Where it stands.
    [
      '<table><img src="a.jpg"><tr><td><img src="b.jpg"></table>',
      ['missing a.jpg', 'missing b.jpg'],
    ],
    ['<noscript><img src="a.jpg"></noscript>', ['missing a.jpg']],
    ['<template><img src="a.jpg"></template>', ['missing a.jpg']],
    ['<!-- <img src="a.jpg"> --><script>"<img src=b.jpg>"</script>', []],
    ['<textarea><img src="a.jpg"></textarea><title><img src="a.jpg"></title>', []],
    ['<p>a < b && c > d<img src="a.jpg">', ['missing a.jpg']],
    // Other addresses.
    ['<img src="s.jpg" srcset="m.jpg 640w, l.jpg 1280w">', ['missing s.jpg l.jpg m.jpg']],
    ['<img srcset="a,1.jpg, b.jpg 2x">', ['missing b.jpg a,1.jpg']],
    [
      '<picture><source srcset="a.avif"><source srcset="a.webp 1x, b.webp 2x"><img src="a.jpg"></picture>',
      ['missing a.jpg a.avif b.webp a.webp'],
    ],
    [
      '<img data-src="a.jpg" src="data:image/gif;base64,AA">',
      ['missing data:image/gif;base64,AA a.jpg'],
    ],
    ['<img>', ['missing']],
  ])('%s', (text, expected) => expect(found(text)).toEqual(expected));

  it('with --include-empty, takes empty texts without a role', () => {
    const text =
      '<img src="a" alt=""><img src="b" alt="" role="presentation"><img src="c" alt="x">';
    expect(found(text, '.html', true)).toEqual(['empty a']);
  });

  it.each([
    ['<p><img src="a.jpg"', 'a tag is not closed'],
    ['<img src="a.jpg alt="x"><p>', 'a quotation mark or <'],
    ['<img src="a.jpg"><!-- x', 'a comment is not closed'],
    ['<img src="a.jpg"><script>x', 'a script, style, title or textarea is not closed'],
    ['<img src=a.jpg alt=the"dog">', 'an attribute has a quotation mark'],
    ['<img src="a.jpg" <p>', 'a quotation mark or <'],
  ])('leaves a broken page: %s', (text, reason) => {
    expect(found(text)).toEqual([expect.stringMatching(`^broken at \\d+: ${reason}`)]);
  });

  it('bears a nesting deeper than calls can be', () => {
    const text = `${'<div>'.repeat(20_000)}<img src="a.jpg">`;
    expect(found(text)).toEqual(['missing a.jpg']);
  });
});

describe('templates', () => {
  it.each<[string, string, string[]]>([
    ['.html', '<img src="a.jpg" alt="{{ page.title }}">', []],
    ['.j2', `<img src="{{ url_for("static", f="a > b") }}">`, ['missing \ue000']],
    ['.njk', '<img src="a.jpg" {% if x > 1 %}alt="x"{% endif %}>', []],
    ['.liquid', '<img src="a.jpg" {{ attrs }}>', []],
    ['.twig', '{# <img src="a.jpg"> #}<img src="b.jpg">', ['missing b.jpg']],
    ['.hbs', '{{!-- <img src="a.jpg"> {{x}} --}}<img src=b.jpg alt={{{y}}}>', []],
    ['.erb', '<% if a > b %><img src="a.jpg"><% end %>', ['missing a.jpg']],
    ['.html', '<p>{{ not closed <img src="a.jpg">', ['missing a.jpg']],
    ['.html', '---\ntitle: <img src="x.jpg">\n---\n<img src="a.jpg">', ['missing a.jpg']],
    ['.vue', '<template><img src="a.jpg"><img src="b.jpg" :alt="x"></template>', ['missing a.jpg']],
    ['.vue', '<template><img :src="x"><img src="a.jpg" v-bind="y"></template>', ['missing']],
    ['.vue', '<template><a href="/"><img src="a.jpg" alt=""><b>{{ x }}</b></a></template>', []],
    ['.svelte', '{#if a<b}<img src="a.jpg">{/if}<img {src} {alt}>', ['missing a.jpg']],
    [
      '.svelte',
      '<script>if (a < b) { x = "<img>" }</script><img src="{base}/a.jpg">',
      ['missing \ue000/a.jpg'],
    ],
    ['.svelte', '<img src="a.jpg" on:click={() => x} alt="words">', []],
    ['.svelte', `<img src="a.jpg" on:click={() => "}" > '}'} >`, ['missing a.jpg']],
    ['.svelte', `<p title="don't">don't {x}</p><img src="a.jpg">`, ['missing a.jpg']],
    [
      '.astro',
      '---\nconst a = 1 < 2;\n---\n{x.map((y) => <img src="a.jpg" />)}',
      ['missing a.jpg'],
    ],
    [
      '.astro',
      `<Image src={hero} alt={\`a \${b} c\`} /><Image src="/a.jpg" />`,
      ['missing /a.jpg'],
    ],
    ['.astro', '<img {...props} src="a.jpg" />', []],
    ['.heex', '<img src={~p"/a.jpg"} alt={@alt}><img src="b.jpg" :if={@x > 1}>', ['missing b.jpg']],
    [
      '.jsp',
      '<%@ page x="y" %><img src="<c:url value=\'/a.jpg\'/>"><img src="b.jpg">',
      ["missing <c:url value='/a.jpg'/>", 'missing b.jpg'],
    ],
  ])('%s: %s', (ending, text, expected) => {
    const shown = found(text, ending).map((line) => line.replace(/\ue000+/g, '\ue000'));
    expect(shown).toEqual(expected);
  });
});

describe('PHP', () => {
  it.each<[string, string[]]>([
    ['<?php if ($a > 1): ?><img src="a.jpg"><?php endif; ?>', ['missing a.jpg']],
    ['<img src="<?= $url ?>"><img src="b.jpg" alt="<?= $alt ?>">', ['missing \ue000']],
    [
      '<img src="<?php echo "a?>b"; ?>/c.jpg"><img src="d.jpg" <?php attrs(); ?>>',
      ['missing \ue000/c.jpg'],
    ],
    ['<?php // it\'s <img src="a.jpg"> ?><img src="b.jpg">', ['missing b.jpg']],
    ['<?php /* "<img>" ?> */ # it\'s\n?><img src="b.jpg">', ['missing b.jpg']],
    ['<?php echo \'<img src="a.jpg">\'; ?>', ['missing a.jpg']],
    ['<?php echo "<img src=\\"$x\\">" . \'<img src="b.jpg" alt="">\';', ['missing']],
    [
      '<?php $x = <<<HTML\n<img src="a.jpg">\n  HTML; ?><img src="b.jpg">',
      ['missing a.jpg', 'missing b.jpg'],
    ],
    ['<?xml version="1.0"?><img src="a.jpg">', ['missing a.jpg']],
    ['<img src="{!! $x > 1 !!}"><img src="b.jpg" alt="{{ $y }}">', ['missing \ue000']],
  ])('%j', (text, expected) => {
    expect(found(text, '.php').map((line) => line.replace(/\ue000+/g, '\ue000'))).toEqual(expected);
  });

  it('may be written outside of its code alone', () => {
    const text = '<img src="a.jpg"><?php echo \'<img src="b.jpg">\' ?>';
    const result = findGaps(text, '.php', { includeEmpty: false });
    const gaps = result.kind === 'read' ? result.gaps : [];
    expect(gaps.map(({ unsafe }) => unsafe)).toEqual([
      undefined,
      expect.stringContaining('by hand'),
    ]);
  });
});

describe('Razor', () => {
  it.each<[string, string[]]>([
    ['@if (a < b && c > d) { <img src="a.jpg"> }', ['missing a.jpg']],
    [
      '@if (x) { <p>1</p> } else { <img src="a.jpg"> } }<img src="b.jpg">',
      ['missing a.jpg', 'missing b.jpg'],
    ],
    ['@try { F(); } catch (E e) when (e.X < 1) { <img src="a.jpg"> }', ['missing a.jpg']],
    [
      '@do { <img src="a.jpg"> } while (i < 3);<img src="b.jpg">',
      ['missing a.jpg', 'missing b.jpg'],
    ],
    ['@await foreach (var x in y) { <img src="a.jpg"> }', ['missing a.jpg']],
    ['@using (Html.BeginForm()) { <img src="a.jpg"> }', ['missing a.jpg']],
    ['@{ if (a <b) { F<int>(x); } }<img src="a.jpg">', ['missing a.jpg']],
    ['@{ <ul><li><img src="a.jpg"></li></ul> var x = "<img>"; }', ['missing a.jpg']],
    ['@{ <!-- <img src="a.jpg"> it\'s --> <img src="b.jpg"> }', ['missing b.jpg']],
    ['@{\n@: it\'s <img src="a.jpg"> }\n}<img src="b.jpg">', ['missing a.jpg', 'missing b.jpg']],
    // Strings of all kinds, characters and comments hold no brackets.
    [
      '@{ var x = @"\\" + "}" + \'}\' + $"{y["}"]}" /* } */; // }\n}<img src="a.jpg">',
      ['missing a.jpg'],
    ],
    ['@{ var x = """ " } """; }<img src="a.jpg">', ['missing a.jpg']],
    ['@* <img src="a.jpg"> } *@<img src="b.jpg">', ['missing b.jpg']],
    // Expressions, and what only looks like one.
    [
      '<img src="@Url.Content("~/a.jpg")"><img src="b.jpg" alt="@x.Y["z"]?.W()">',
      ['missing \ue000'],
    ],
    ['<img src="@(a > b ? "c" : "d").jpg">', ['missing \ue000.jpg']],
    ['<img src="a.jpg" @(x ? "alt=y" : "")><img src="b.jpg" @if (x) { @:alt="y"\n}>', []],
    [
      'a@b.org <img src="a@2x.jpg"><img src="b@@2x.jpg"><style>@@media x { }</style>',
      ['missing a@2x.jpg', 'missing b@2x.jpg'],
    ],
    ['@model.Name <img src="a.jpg">\n@model Foo<Bar>\n@inject X<Y> z', ['missing a.jpg']],
    [
      '<a href="/"><img src="~/a.jpg" alt=""></a><a href="/"><img src="~/b.jpg" alt="">@Text</a>',
      ['empty /a.jpg'],
    ],
    [
      '@section X { <style>p { }</style><img src="a.jpg"> }<img src="b.jpg">',
      ['missing a.jpg', 'missing b.jpg'],
    ],
    [
      '<script>if (a < b) { x = "@Model.X" + "<img>"; }</script><img src="a.jpg">',
      ['missing a.jpg'],
    ],
    ['@helper Show(int x) { <img src="a.jpg"> }', ['missing a.jpg']],
    // Blazor's.
    ['<img @onclick="() => F(1 > 0)" @onclick:stopPropagation src="a.jpg">', ['missing a.jpg']],
    ['<img src="a.jpg" @attributes="More"><img src="b.jpg" @key="x" />', ['missing b.jpg']],
    [
      '@code { RenderFragment A => @<p><img src="a.jpg"></p>; bool B(int x) => x <y; }',
      ['missing a.jpg'],
    ],
    ['@code { void F(B __b) { <img src="a.jpg"> } }', ['missing a.jpg']],
  ])('%j', (text, expected) => {
    const shown = (ending: string) =>
      found(text, ending).map((line) => line.replace(/\ue000+/g, '\ue000'));
    expect(shown('.cshtml')).toEqual(expected);
    expect(shown('.razor')).toEqual(expected);
  });

  it.each([
    ['<p>@{ if (x) { <img src="a.jpg"> </p>', 'broken at 3: its C# is not closed'],
    ['<img src="a.jpg">@{ F(] }', 'broken at 22: ] closes no bracket of the C#'],
    ['<img src="a.jpg">@if (x) <p></p>', 'broken at 24: a statement of C# has no {'],
    ['<img src="a.jpg">@* x', 'broken at 17: a comment is not closed'],
    ['@{ <div><img src="a.jpg"> }', 'broken at 0: its C# is not closed'],
  ])('leaves a broken page: %s', (text, expected) => {
    expect(found(text, '.cshtml')).toEqual([expected]);
  });

  it('of a component has addresses relative to the application, of a page to the page', () => {
    const base = (text: string, ending: string) => {
      const result = findGaps(text, ending, { includeEmpty: false });
      return result.kind === 'read' ? result.base : result.reason;
    };
    expect(base('<img src="a.jpg">', '.razor')).toBe('/');
    expect(base('<base href="~/app/">', '.razor')).toBe('/app/');
    expect(base('<img src="a.jpg">', '.cshtml')).toBeUndefined();
  });

  it('bears a nesting deeper than calls can be', () => {
    const [open, close] = ['@if (x) { <b>', '</b> }'].map((part) => part.repeat(5000));
    expect(found(`${open}<img src="a.jpg">${close}`, '.cshtml')).toEqual(['missing a.jpg']);
  });
});

describe('JSX', () => {
  const page = (markup: string, before = '') => `${before}export const Page = () => (${markup});\n`;
  it.each<[string, string[]]>([
    ['<img src="a.jpg" />', ['missing a.jpg']],
    ['<div>{list.map((x) => <img key={x} src="a.jpg" />)}</div>', ['missing a.jpg']],
    ['<img src={hero} /> ', ['missing ./hero.jpg']],
    ['<Image src={hero.src} alt="" /> ', []],
    ['<img src={require("./b.png")} alt={`  `} />', ['empty ./b.png']],
    [
      '<><img src="a.jpg" alt={alt} /><img src="b.jpg" {...rest} /><img {...rest} src="c.jpg" alt=" " /></>',
      ['empty c.jpg'],
    ],
    ['<a href="/"><img src="a.jpg" alt="" /></a>', ['empty a.jpg']],
    ['<Link href={to}><img src="a.jpg" alt={""} /></Link>', ['empty a.jpg']],
    ['<a href="/"><img src="a.jpg" alt="" />{label}</a>', []],
    ['<a href="/"><img src="a.jpg" alt="" /><Icon /></a>', []],
    ['<a href="/">{/* x */}<img src="a.jpg" alt="" /></a>', ['empty a.jpg']],
    ['<button><img src="a.jpg" alt="" /> Send</button>', []],
    ['<div aria-hidden><img src="a.jpg" /></div>', []],
    ['<div aria-hidden="true"><img src="a.jpg" /></div>', []],
    ['<div aria-hidden={true}><p><img src="a.jpg" /></p></div>', []],
    ['<img src="a.jpg" role="presentation" />', []],
    ['<Card icon={<img src="a.jpg" />} />', ['missing a.jpg']],
    [
      '<picture><source srcSet="a.webp 1x, b.webp 2x" /><img src="a.jpg" /></picture>',
      ['missing a.jpg b.webp a.webp'],
    ],
    ['<p>{"<img src=\'a.jpg\'>"}</p>', []],
    ['<Script>{"<img>"}</Script>', []],
  ])('%s', (markup, expected) => {
    const text = page(markup, "import hero from './hero.jpg';\n");
    expect(found(text, '.jsx')).toEqual(expected);
    expect(found(text.replace('() =>', '<T,>(x: T): unknown =>'), '.tsx')).toEqual(expected);
  });

  it('is left where it cannot be read, and the place is told', () => {
    expect(found('const a = <p><img src="a.jpg"></p>;', '.jsx')).toEqual([
      expect.stringMatching(/^broken at \d+: /),
    ]);
  });

  it('has a comment where markup stands alone', () => {
    const result = findGaps(page('<p>{x && <img src="a" />}<img src="b" /></p>'), '.tsx', {
      includeEmpty: false,
    });
    const gaps = result.kind === 'read' ? result.gaps : [];
    expect(gaps.map(({ todo }) => todo)).toEqual([undefined, '{/* TODO: alt text */}']);
  });
});

describe('Markdown', () => {
  it.each<[string, string[]]>([
    ['![](a.jpg)', ['empty a.jpg']],
    ['![ ](<a b.jpg> "title")', ['empty a b.jpg']],
    ['![words](a.jpg)', []],
    ['![*](a.jpg) ![**](a.jpg) ![<b>](a.jpg)', []],
    ['> - ![](a.jpg)\n>   ![](b.jpg)', ['empty a.jpg', 'empty b.jpg']],
    ['![][r] ![x][r]\n\n[r]: a.jpg "title"', ['empty a.jpg']],
    ['```\n![](a.jpg)\n```\n\n`![](b.jpg)`\n\n    ![](c.jpg)', []],
    [
      '<p>\n<img src="a.jpg">\n</p>\n\nsome <img src="b.jpg"> text',
      ['missing a.jpg', 'missing b.jpg'],
    ],
    ['> <p>\n> <img src="a.jpg"></p>', ['missing a.jpg']],
    ['[![](a.jpg)](/b)', ['empty a.jpg']],
    ['| a |\n|---|\n| ![](a.jpg) |', ['empty a.jpg']],
    ['---\ncover: "![](a.jpg)"\n---\n![](b.jpg)', ['empty b.jpg']],
    ['![]({{x}}/a.jpg) {% if a %}![](b.jpg){% endif %}', ['empty \ue000/a.jpg', 'empty b.jpg']],
    ['\\![](a.jpg) <!-- ![](b.jpg) -->', []],
  ])('%j', (text, expected) => {
    const shown = found(text, '.md').map((line) => line.replace(/\ue000+/g, '\ue000'));
    expect(shown).toEqual(expected);
  });

  it.each<[string, string[]]>([
    ['import x from "y"\n\n![](a.jpg)\n\n<Image src="b.jpg" />', ['empty a.jpg', 'missing b.jpg']],
    ['<div>\n  <img src="a.jpg" onClick={() => 1 > 0} alt="words" />\n</div>', []],
    ['some <img src="a.jpg" style={{ width: 1 }}/> text', ['missing a.jpg']],
    ['<img src="a.jpg" {...props} />', []],
    ['<picture><source srcSet="a.webp" /><img src="a.jpg" /></picture>', ['missing a.jpg a.webp']],
    ['{/* <img src="a.jpg" /> */}\n\n<Card>![](b.jpg)</Card>', ['empty b.jpg']],
  ])('MDX: %j', (text, expected) => expect(found(text, '.mdx')).toEqual(expected));

  it('leaves MDX that cannot be read, and says where', () => {
    expect(found('ok\n\n<b>\n\n![](a.jpg)', '.mdx')).toEqual([
      expect.stringMatching(/^broken at 4: .*<b>/),
    ]);
    expect(found('![](a.jpg) {1 +}', '.mdx')).toEqual([expect.stringMatching(/^broken at 1\d: /)]);
  });
});

describe('positions', () => {
  it('count lines however they end, behind a byte order mark too', () => {
    const text = '\ufeff<p>\r\n\r\n  <img src="a.jpg">\n\r<img src="b.jpg">';
    const result = findGaps(text, '.html', { includeEmpty: false });
    const gaps = result.kind === 'read' ? result.gaps : [];
    const starts = lineStarts(text);
    expect(gaps.map(({ start }) => positionOf(start, starts))).toEqual([
      { line: 3, column: 3 },
      { line: 5, column: 1 },
    ]);
    for (const { start, end } of gaps) expect(text.slice(start, end)).toMatch(/^<img [^>]*>$/);
  });
});
