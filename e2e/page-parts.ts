import type { Locator, Page } from 'playwright-core';
import { eventually } from './eventually.ts';

/** The page as a person finds their way in it: by role and name. */
export class PageParts {
  readonly #page: Page;
  readonly map: Locator;
  readonly status: Locator;
  /** Of the flow table, its header not among them. */
  readonly rows: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.map = page.getByRole('tree', { name: 'Service map' });
    this.status = page.getByRole('contentinfo');
    const table = page.getByRole('table', { name: /^Flows/ });
    this.rows = table.getByRole('row').filter({ has: page.getByRole('cell').filter({ hasText: /\S/ }) });
  }

  /**
   * `maindb, default, 1 pod, port 3306 TCP, 12 flows/s`; the card of a Service of that name, which comes beside it where the Service
   * refused somebody before its pods were ready, only when that is asked for.
   */
  card(name: string, more = /./): Locator {
    const workload = more.source.includes('Service') ? '' : '(?!.* Service,)';
    return this.map.getByRole('treeitem', { name: new RegExp(`^${name}(-v\\d)?,${workload}.*${more.source}`) });
  }

  /** `web to maindb port 3306 TCP, forwarded` */
  arrow(from: string, to: string, more: RegExp): Locator {
    return this.map.getByRole('treeitem', { name: new RegExp(`^${from}(-v\\d)? to ${to}(-v\\d)? .*${more.source}`) });
  }

  /** The pointer is listened to from soon after the map is first drawn. */
  async pointerHeard(): Promise<void> {
    await this.#page.locator('[data-part=gestures]').waitFor({ state: 'attached' });
  }

  /** Clicks where the card lies: on the canvas under it, as a person does. */
  async click(card: Locator): Promise<void> {
    await this.pointerHeard();
    const box = (await card.boundingBox())!;
    // Beside the middle, where text and ports may have a meaning of their own.
    await this.#page.mouse.click(box.x + box.width / 2, box.y + Math.min(14, box.height / 2));
  }

  /** Waits until an element of the map stays where it is, and can be pointed at. */
  async steady(element: Locator): Promise<void> {
    await this.pointerHeard();
    let before = '';
    await eventually('the map stands still', 20_000, async () => {
      const now = JSON.stringify(await element.boundingBox());
      const same = now === before;
      before = now;
      return same;
    });
  }

  /** Opens the namespace select and chooses one entry, or leaves it out again. */
  async chooseNamespaces(entry: string): Promise<void> {
    await this.#page.getByLabel(/^Namespace: /).click();
    const popup = this.#page.getByRole('dialog', { name: 'Namespaces' });
    const option = popup.getByRole('option', { name: new RegExp(`^${entry}\\b`) });
    await option
      .or(popup.getByRole('button', { name: entry }))
      .first()
      .click();
    await this.#page.keyboard.press('Escape');
  }

  /** Waits until the table has rows and each of those drawn says what it should. */
  async everyRow(holds: (text: string) => boolean, what: string): Promise<void> {
    let wrong: string | undefined = 'there are none';
    await eventually(`every row is ${what}`, 30_000, async () => {
      const texts = await this.rows.allInnerTexts();
      wrong = texts.length === 0 ? 'there are none' : texts.find((text) => !holds(text));
      return wrong === undefined;
    }).catch((error: Error) => {
      throw new Error(`${error.message}; one says: ${wrong}`);
    });
  }

  async newestRow(): Promise<string> {
    return ((await this.rows.first().textContent()) ?? '').replaceAll('\n', ' ');
  }

  async flowsPerSecond(): Promise<number> {
    const text = (await this.status.textContent()) ?? '';
    return Number(/([\d.,]+)k? flows\/s/.exec(text)?.[1]?.replace(',', '') ?? 0);
  }

  async background(): Promise<string> {
    return await this.#page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  }
}
