import { expect } from 'vitest';
import { Demo } from './demo.ts';
import { VisitedPage } from './visited-page.ts';

/** The page of the demo's recording, as it is where nothing can be observed. It may leave nothing behind. */
export class ReplayPage extends VisitedPage<Demo> {
  constructor() {
    super(
      () => Demo.start('--replay'),
      ({ url }) => url,
      async (demo) => expect(await demo.stop()).toEqual([]),
    );
  }

  get url(): string {
    return this.served.url;
  }
}
