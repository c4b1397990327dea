import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestApiServer } from '#runtime/testing/api-server.ts';
import type { LabLayout } from '../lab-layout.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { ApiMirror } from './api-mirror.ts';
import { defineCiliumKinds } from './cilium-definitions.ts';

/** Where a lab with an API server keeps it, and its kubeconfig. */
export function apiServerDirectory(layout: LabLayout): string {
  return join(layout.dir, 'api-server');
}

export function labKubeconfig(layout: LabLayout): string {
  return join(apiServerDirectory(layout), 'kubeconfig');
}

/** A lab's own API server: real, at the host's address on the fabric, and told everything the lab's store holds. */
export class LabApiServer {
  readonly #server: TestApiServer;
  readonly #mirror: ApiMirror;

  private constructor(server: TestApiServer, mirror: ApiMirror) {
    this.#server = server;
    this.#mirror = mirror;
  }

  static async start(
    layout: LabLayout,
    store: ObjectStore,
    place: { readonly address: string; readonly serviceCidrs: readonly string[]; readonly cgroup: string },
  ): Promise<LabApiServer> {
    const directory = apiServerDirectory(layout);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    mkdirSync(place.cgroup, { recursive: true });
    const server = await TestApiServer.start({
      directory,
      ...place,
      // Whoever clears up after a crash finds its processes there.
      onSpawn: (pid) => writeFileSync(join(place.cgroup, 'cgroup.procs'), `${pid}`),
    });
    try {
      const client = await server.client();
      await defineCiliumKinds(client);
      const mirror = new ApiMirror(client, store, (problem) => console.error(`not at the API server: ${problem}`));
      await mirror.settled();
      return new LabApiServer(server, mirror);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#mirror.stop();
    await this.#server.stop();
  }
}
