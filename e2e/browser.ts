import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];

/** Debian's Chromium, headless, with these flags beside those it always has. Close it when done. */
export function launchBrowser(flags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...FLAGS, ...flags], timeout: 90_000 });
}

/** A page that notes whatever a careful developer would find in its console. */
export class WatchedPage {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught errors, violations of the content security policy, requests elsewhere. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
  }

  /** `before` runs in the page before any of its own scripts. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions = {},
    before?: () => void,
  ): Promise<WatchedPage> {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const watched = new WatchedPage(page);
    page.on('console', (message) => {
      const { url: source } = message.location();
      // A browser looks there by itself where a page names no icon, as what is no HTML does not.
      if (!['error', 'warning'].includes(message.type()) || source.endsWith('/favicon.ico')) return;
      watched.complaints.push(`${message.type()}: ${message.text()} (${source})`);
    });
    page.on('pageerror', (error) => watched.complaints.push(`uncaught: ${error.stack ?? error.message}`));
    page.on('request', (request) => {
      const { protocol, host } = new URL(request.url());
      if (/^(https?|wss?):$/.test(protocol) && host !== new URL(url).host) {
        watched.complaints.push(`request to ${request.url()}`);
      }
    });
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`content security policy: ${event.violatedDirective} refuses ${event.blockedURI}`);
      });
    });
    if (before !== undefined) await page.addInitScript(before);
    await page.goto(url);
    return watched;
  }

  /** Complaints so far, which are then forgotten: what a test caused on purpose. */
  takeComplaints(): string[] {
    return this.complaints.splice(0);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
