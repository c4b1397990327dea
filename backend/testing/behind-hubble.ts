import { pino } from 'pino';
import { vi } from 'vitest';
import { FakeHubble, type FlowInit } from '#runtime/testing/fake-hubble.ts';
import { type Backend, startBackend } from '../start.ts';

/** A backend in front of somebody else's Hubble, which has told it these flows. */
export class BehindHubble {
  readonly hubble = new FakeHubble();
  #backend: Backend | undefined;

  get backend(): Backend {
    return this.#backend!;
  }

  async start(...flows: FlowInit[]): Promise<void> {
    await this.hubble.start();
    this.#backend = await startBackend({
      listen: '127.0.0.1:0',
      relayListen: '127.0.0.1:0',
      hubble: [{ address: this.hubble.address }],
      log: pino({ level: 'silent' }),
    });
    this.hubble.tell(...flows);
    await vi.waitFor(() => {
      const { end } = this.backend.relay.window;
      if (end !== flows.length) throw new Error(`${end} of ${flows.length} flows have come`);
    }, 30_000);
  }

  async stop(): Promise<void> {
    await this.#backend?.close();
    await this.hubble.stop();
  }
}
