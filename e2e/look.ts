import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';

/** What is wrong to the eye with the page as it stands, whatever it shows: one line for each. */
export function untidy(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const wrong: string[] = [];
    if (document.documentElement.scrollWidth > innerWidth) wrong.push('the page scrolls sideways');
    const nameOf = (element: Element) =>
      `<${element.tagName.toLowerCase()}> "${(element.getAttribute('aria-label') ?? element.textContent ?? '').slice(0, 40)}"`;
    const isSeen = (element: Element) =>
      element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
      element.closest('.sr-only, [role=tree]') === null;
    const scrolls = (element: Element | null): boolean =>
      element !== null && (/auto|scroll/.test(getComputedStyle(element).overflow) || scrolls(element.parentElement));
    const ruler = document.createElement('canvas').getContext('2d')!;
    for (const element of document.querySelectorAll('button, a, input, select, h1, h2, h3, p, span, label')) {
      const box = element.getBoundingClientRect();
      // A pixel is what is left of words that are only for screen readers.
      if (box.width <= 1 || box.height <= 1 || !isSeen(element)) continue;
      const outside =
        box.left < -0.5 || box.top < -0.5 || box.right > innerWidth + 0.5 || box.bottom > innerHeight + 0.5;
      if (outside && !scrolls(element)) wrong.push(`outside of the window: ${nameOf(element)}`);
      const style = getComputedStyle(element);
      const isCut = style.overflowX !== 'visible' && style.textOverflow !== 'ellipsis' && element.children.length === 0;
      if (isCut && element.tagName !== 'INPUT' && element.scrollWidth > element.clientWidth + 1) {
        wrong.push(`cut off: ${nameOf(element)}`);
      }
      if (element instanceof HTMLInputElement && element.value === '' && element.placeholder !== '') {
        ruler.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
        const room = element.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
        if (ruler.measureText(element.placeholder).width > room + 1) wrong.push(`cut off: "${element.placeholder}"`);
      }
    }
    return wrong;
  });
}

/** What is wrong with the cards of the map on the screen: outside of it, over one another, under its tools, or not painted. */
export function untidyCards(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const wrong: string[] = [];
    const map = document.querySelector('section[aria-label=Map]')!;
    const frame = map.getBoundingClientRect();
    const cards = [...map.querySelectorAll('[role=treeitem]')]
      .filter((item) => item.getBoundingClientRect().width > 0 && item.getBoundingClientRect().height > 4)
      .filter(
        (item) =>
          !/ namespace, \d| to .*, (forwarded|dropped|mixed|audit|quiet)/.test(item.getAttribute('aria-label') ?? ''),
      )
      .map((item) => ({ name: item.getAttribute('aria-label')!.split(',')[0], box: item.getBoundingClientRect() }));
    const meet = (a: DOMRect, b: DOMRect) =>
      a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
    const tools = [...map.querySelectorAll('button, input')]
      .filter((tool) => tool.closest('[role=tree]') === null)
      .map((tool) => tool.getBoundingClientRect());
    const canvases = [...map.querySelectorAll('canvas')].filter((canvas) => canvas.dataset.part === undefined);
    const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const isPainted = (box: DOMRect) =>
      canvases.some((canvas) => {
        const at = canvas.getBoundingClientRect();
        if (canvas.width < 200 || at.width === 0) return false;
        const scale = canvas.width / at.width;
        const [x, y] = [(box.left - at.left) * scale, (box.top - at.top) * scale];
        const [width, height] = [box.width, box.height].map((side) => Math.max(2, Math.round(side * scale)));
        copy.canvas.width = width;
        copy.canvas.height = height;
        copy.drawImage(canvas, -x, -y);
        const { data } = copy.getImageData(0, 0, width, height);
        const colors = new Set<number>();
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3] > 200) colors.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
        }
        return colors.size > 2;
      });
    if (cards.length === 0) wrong.push('there are no cards');
    cards.forEach(({ name, box }, index) => {
      if (box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom) {
        wrong.push(`${name} is outside of the map`);
      } else if (!isPainted(box)) wrong.push(`${name} is not painted`);
      if (tools.some((tool) => meet(tool, box))) wrong.push(`${name} is under the map's tools`);
      for (const other of cards.slice(index + 1)) if (meet(box, other.box)) wrong.push(`${name} is over ${other.name}`);
    });
    return wrong;
  });
}

/**
 * What is wrong with the drawing of the map, as exported in the dark theme: arrows under cards, tags over them, text beyond, cards
 * written unlike each other.
 */
export async function untidyDrawing(browser: Browser, page: Page): Promise<string[]> {
  await page.getByRole('button', { name: 'Export the map' }).click();
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /SVG/ }).click()]);
  const drawing = await readFile(await file.path(), 'utf8');
  const paper = await browser.newPage();
  try {
    await paper.setContent(`<body>${drawing}</body>`);
    return await paper.evaluate(() => {
      const wrong: string[] = [];
      const paths = [...document.querySelectorAll<SVGPathElement>('svg > path')];
      const pathOf = (path: Element) => path.getAttribute('d') ?? '';
      const isFilled = (path: Element) => path.getAttribute('fill') !== 'none';
      // By their corners: of a plate, of a card, of a tag on an arrow.
      const boxes = (radius: number) =>
        paths
          .filter((path) => isFilled(path) && pathOf(path).includes(`a${radius} ${radius} 0 0 1`))
          .map((path) => path.getBBox());
      const [cards, tags] = [boxes(8), boxes(6)];
      const arrows = paths.filter((path) => !isFilled(path) && /^M\S+ \S+C/.test(pathOf(path)));
      const texts = [...document.querySelectorAll<SVGTextElement>('svg > text')].map((text) => ({
        words: text.textContent ?? '',
        weight: text.getAttribute('font-weight'),
        size: text.getAttribute('font-size'),
        box: text.getBBox(),
      }));
      if (cards.length === 0 || arrows.length === 0) wrong.push(`${cards.length} cards and ${arrows.length} arrows`);
      const within = (x: number, y: number, box: DOMRect, margin: number) =>
        x > box.x + margin && x < box.x + box.width - margin && y > box.y + margin && y < box.y + box.height - margin;
      const meet = (a: DOMRect, b: DOMRect) =>
        a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
      const cardOf = (box: DOMRect) =>
        cards.find((card) => within(box.x + box.width / 2, box.y + box.height / 2, card, 0));
      const nameAt = (card: DOMRect) => texts.find(({ box }) => cardOf(box) === card)?.words ?? '?';
      for (const arrow of arrows) {
        const length = arrow.getTotalLength();
        for (let at = 0; at <= length; at += 4) {
          const { x, y } = arrow.getPointAtLength(at);
          const under = cards.find((card) => within(x, y, card, 2));
          if (under !== undefined) {
            wrong.push(`an arrow passes under ${nameAt(under)}`);
            break;
          }
        }
      }
      for (const tag of tags) for (const card of cards) if (meet(tag, card)) wrong.push(`a tag covers ${nameAt(card)}`);
      for (const { words, box } of texts) {
        const card = cardOf(box);
        if (card !== undefined && box.x + box.width > card.x + card.width + 1) wrong.push(`"${words}" leaves its card`);
      }
      const onCards = texts.filter(({ box }) => cardOf(box) !== undefined);
      const sizes = new Set(onCards.filter(({ weight }) => weight === '600').map(({ size }) => size));
      if (sizes.size !== 1) wrong.push(`names of cards in sizes ${[...sizes].join(', ')}`);
      const ports = onCards.filter(({ weight }) => weight === '500').length;
      const protocols = onCards.filter(({ words }) => /^(TCP|UDP|SCTP|ICMP)/.test(words)).length;
      if (ports !== protocols) wrong.push(`${ports} ports with ${protocols} protocols`);
      return wrong;
    });
  } finally {
    await paper.close();
  }
}
